# fails: full
# after: one-big-pod.sh
kubectl delete pod hold --grace-period=1
kubectl cordon worker-1
sleep 5
