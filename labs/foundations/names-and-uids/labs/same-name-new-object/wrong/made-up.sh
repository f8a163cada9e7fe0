# fails: uids twins
kubectl create configmap facts --from-literal=name=same --from-literal=uid=new --from-literal=address=new --from-literal=restarts=new --from-literal=label=same --from-literal=service-address=new
kubectl create configmap uids --from-literal=before=11111111-2222-3333-4444-555555555555 --from-literal=after=$(kubectl get pod {{guide}} -o jsonpath='{.metadata.uid}')
kubectl create namespace {{annex}}
kubectl create configmap exhibition -n {{annex}}
