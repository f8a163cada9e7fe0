# fails: two-ready shared-volume writer-writes greeter-mended
kubectl run task --image=busybox:1.36 --restart=OnFailure -- sh -c 'echo done'
kubectl delete pod greeter
kubectl run greeter --image=busybox:1.36 -- sleep 3600
kubectl wait --for=condition=Ready pod/greeter --timeout=120s
sleep 10
