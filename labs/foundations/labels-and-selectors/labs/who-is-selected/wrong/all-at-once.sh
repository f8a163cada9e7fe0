# fails: exactly no-collateral
kubectl create configmap counts --from-literal=one={{ask.n1}} --from-literal=two={{ask.n2}} --from-literal=three={{ask.n3}} --from-literal=four={{ask.n4}} --from-literal=five={{ask.n5}} --from-literal=six={{ask.n6}}
kubectl label pods --all {{key}}=daily --overwrite
kubectl label pods --all closed-
