# fails: seconds hears
kubectl create configmap seconds --from-literal=shell=0 --from-literal=listens=30 --from-literal=short={{grace}} --from-literal=hook=30 --from-literal=ended=yes
