# fails: no-collateral
kubectl create configmap counts --from-literal=one={{ask.n1}} --from-literal=two={{ask.n2}} --from-literal=three={{ask.n3}} --from-literal=four={{ask.n4}} --from-literal=five={{ask.n5}} --from-literal=six={{ask.n6}}
kubectl label pod bed-02 bed-05 {{key}}=daily --overwrite
kubectl label pod bed-07 closed-
kubectl label pod bed-10 closed-
