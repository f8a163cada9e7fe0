# fails: alone
# after: a-copy-that-stays.sh
kubectl get pod bridge -o json | jq '.spec.containers[0].command = ["sleep", "3600"]' > bridge.json
kubectl replace --force -f bridge.json
