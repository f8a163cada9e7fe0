# fails: uids
kubectl create configmap facts --from-literal=name=same --from-literal=uid=new --from-literal=address=new --from-literal=restarts=new --from-literal=label=same --from-literal=service-address=new
kubectl create configmap uids --from-literal=before=$(kubectl get service {{guide}} -o jsonpath='{.metadata.uid}') --from-literal=after=$(kubectl get pod {{guide}} -o jsonpath='{.metadata.uid}')
kubectl create namespace {{annex}}
kubectl create configmap exhibit -n {{annex}}
