kubectl create configmap makers --from-literal=churn={{owner.churn}} --from-literal=butter={{owner.butter}} --from-literal=cooler=DaemonSet --from-literal=taster=none
kubectl create configmap paused --from-literal=heals=yes --from-literal=rolls=no
kubectl delete {{owner.churn}} churn
kubectl wait --for=delete pod -l app=churn --timeout=60s
