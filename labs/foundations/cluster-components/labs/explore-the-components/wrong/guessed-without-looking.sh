# fails: etcd-node proxy-count dns-healed
kubectl create namespace survey
address=$(kubectl get service kube-dns -n kube-system -o jsonpath='{.spec.clusterIP}')
kubectl create configmap components -n survey --from-literal=etcd-node=master --from-literal=proxy-count=2 --from-literal=dns-ip=$address
