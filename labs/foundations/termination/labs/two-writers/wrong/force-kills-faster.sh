# fails: forecast new-pen written
kubectl create configmap forecast --from-literal=listed=yes --from-literal=writing=no --from-literal=same-name=no --from-literal=both=no --from-literal=confirms=etcd --from-literal=finished=yes
