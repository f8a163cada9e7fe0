# fails: back sooner
kubectl create configmap report --from-literal=ready=Unknown --from-literal=leases=kube-node-lease --from-literal=noticed=50 --from-literal=evicted=300 --from-literal=confirms=kubelet
kubectl cordon {{machine.dead}}
kubectl delete pod {{gauge}}-0 --wait=false
sleep 60
