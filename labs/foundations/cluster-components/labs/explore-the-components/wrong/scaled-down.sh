# fails: etcd-node proxy-count dns-ip dns-healed
kubectl create namespace survey
sleep 2
kubectl scale deployment/coredns -n kube-system --replicas=0
kubectl wait --for=delete pod -n kube-system -l k8s-app=kube-dns --timeout=60s
kubectl scale deployment/coredns -n kube-system --replicas=1
kubectl rollout status deployment/coredns -n kube-system --timeout=120s
