# fails: etcd-node proxy-count dns-ip dns-healed
node=$(kubectl get pods -n kube-system -l component=etcd -o jsonpath='{.items[0].spec.nodeName}')
kubectl create configmap components --from-literal=etcd-node=$node --from-literal=proxy-count=3
