# fails: dns-ip
kubectl create namespace survey
node=$(kubectl get pods -n kube-system -l component=etcd -o jsonpath='{.items[0].spec.nodeName}')
address=$(kubectl get pods -n kube-system -l k8s-app=kube-dns -o jsonpath='{.items[0].status.podIP}')
kubectl create configmap components -n survey --from-literal=etcd-node=$node --from-literal=proxy-count=3 --from-literal=dns-ip=$address
sleep 2
pod=$(kubectl get pods -n kube-system -l k8s-app=kube-dns -o jsonpath='{.items[0].metadata.name}')
kubectl delete pod -n kube-system $pod
kubectl rollout status deployment/coredns -n kube-system --timeout=120s
