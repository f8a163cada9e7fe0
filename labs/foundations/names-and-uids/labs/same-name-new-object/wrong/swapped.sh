# fails: uids
kubectl create configmap facts --from-literal=name=same --from-literal=uid=new --from-literal=address=new --from-literal=restarts=new --from-literal=label=same --from-literal=service-address=new
before=$(kubectl get pod {{guide}} -o jsonpath='{.metadata.uid}')
kubectl get pod {{guide}} -o yaml > pod.yaml
kubectl replace --force -f pod.yaml
kubectl create configmap uids --from-literal=after=$before --from-literal=before=$(kubectl get pod {{guide}} -o jsonpath='{.metadata.uid}')
kubectl create namespace {{annex}}
kubectl create configmap exhibit -n {{annex}}
