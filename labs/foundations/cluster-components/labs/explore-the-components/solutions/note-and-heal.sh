kubectl create namespace survey
node=$(kubectl get pods -n kube-system -l component=etcd -o jsonpath='{.items[0].spec.nodeName}')
count=$(kubectl get pods -n kube-system -l k8s-app=kube-proxy -o name | wc -l)
address=$(kubectl get service kube-dns -n kube-system -o jsonpath='{.spec.clusterIP}')
kubectl create configmap components -n survey --from-literal=etcd-node=$node --from-literal=proxy-count=$count --from-literal=dns-ip=$address
sleep 2
pod=$(kubectl get pods -n kube-system -l k8s-app=kube-dns -o jsonpath='{.items[0].metadata.name}')
kubectl delete pod -n kube-system $pod
kubectl rollout status deployment/coredns -n kube-system --timeout=120s
