# fails: stations sealed
kubectl create configmap stations --from-literal={{case.slip}}=admission --from-literal={{case.handler}}=kubelet --from-literal={{case.place}}=kubelet
