# fails: facts uids twins
kubectl create configmap facts --from-literal=name=same --from-literal=uid=new --from-literal=address=same --from-literal=restarts=new --from-literal=label=same --from-literal=service-address=same
uid=$(kubectl get pod {{guide}} -o jsonpath='{.metadata.uid}')
kubectl create configmap uids --from-literal=before=$uid --from-literal=after=$uid
