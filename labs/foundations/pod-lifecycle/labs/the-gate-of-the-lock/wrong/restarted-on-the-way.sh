# fails: same-pods
# after: all-at-once.sh
kubectl exec $(kubectl get pods -l app={{lock}} -o jsonpath='{.items[0].metadata.name}') -- nginx -s stop
sleep 40
