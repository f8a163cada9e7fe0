# fails: failed-once
# after: a-probe-that-says-no.sh
kubectl delete pod {{name}}-failed
kubectl run {{name}}-failed --image=busybox:1.36 --restart=Never -- sh -c 'exit 0'
sleep 5
