# fails: stations sealed
kubectl create configmap stations --from-literal={{case.slip}}=admission --from-literal={{case.handler}}=admission --from-literal={{case.place}}=scheduler
