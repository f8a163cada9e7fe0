# fails: forecast found
kubectl create configmap forecast --from-literal=uid=old --from-literal=container=old --from-literal=restarts=same --from-literal=owner=ReplicaSet --from-literal=image=yes --from-literal=wish=etcd
