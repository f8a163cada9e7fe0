# fails: greeter-mended
# after: write-the-manifests.sh
kubectl delete pod greeter --now
kubectl run greeter --image=busybox:1.36 -- sleep 3600
kubectl wait --for=condition=Ready pod/greeter --timeout=120s
