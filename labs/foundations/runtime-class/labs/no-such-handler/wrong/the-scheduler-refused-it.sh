# fails: stations sealed
kubectl create configmap stations --from-literal={{case.slip}}=scheduler --from-literal={{case.handler}}=kubelet --from-literal={{case.place}}=scheduler
