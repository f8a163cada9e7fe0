# fails: belt
# after: ready-and-a-pause.sh
kubectl get pod belt -o yaml > belt.yaml
kubectl replace --force -f belt.yaml
kubectl wait --for=condition=Ready pod/belt --timeout=60s
