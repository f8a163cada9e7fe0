# fails: skips
# after: a-node-by-name.sh
kubectl delete pod direct --now
kubectl run direct --image=nginx:1.27
kubectl wait --for=condition=Ready pod/direct --timeout=120s
kubectl delete events --all
