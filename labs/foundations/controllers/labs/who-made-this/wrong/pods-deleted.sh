# fails: makers paused gone
kubectl create configmap makers --from-literal=churn=ReplicaSet --from-literal=butter=ReplicaSet --from-literal=cooler=DaemonSet --from-literal=taster=none
kubectl create configmap paused --from-literal=heals=no --from-literal=rolls=no
kubectl delete pod -l app=churn
sleep 5
