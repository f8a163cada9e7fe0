# fails: two-ready shared-volume writer-writes greeter-mended
kubectl run task --image=busybox:1.36 --restart=OnFailure -- sh -c 'echo done'
kubectl delete pod greeter
kubectl run greeter --image=busybox:1.36 --env=GREETING=hi -- sh -c 'echo $GREETING; exit 1'
sleep 30
