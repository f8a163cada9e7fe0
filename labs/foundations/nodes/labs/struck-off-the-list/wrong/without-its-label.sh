# fails: loaded
fault power {{machine}} off
sleep 5
fault power {{machine}} on
sleep 40
kubectl wait --for=condition=Ready node/{{machine}} --timeout=120s
kubectl create configmap report --from-literal=registers=kubelet --from-literal=while-running=no --from-literal=label-returns=no --from-literal=flag=--node-labels --from-literal=capacity=kubelet
sleep 20
