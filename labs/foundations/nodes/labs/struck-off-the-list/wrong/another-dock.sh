# fails: listed loaded
kubectl create configmap report --from-literal=registers=kubelet --from-literal=while-running=no --from-literal=label-returns=no --from-literal=flag=--node-labels --from-literal=capacity=kubelet
kubectl label node $(kubectl get nodes -o name | grep worker | head -n 1 | cut -d / -f 2) dock={{dock}}
kubectl rollout status deployment/{{goods}} --timeout=120s
