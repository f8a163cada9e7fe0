# fails: twins
kubectl create configmap facts --from-literal=name=same --from-literal=uid=new --from-literal=address=new --from-literal=restarts=new --from-literal=label=same --from-literal=service-address=new
before=$(kubectl get pod {{guide}} -o jsonpath='{.metadata.uid}')
kubectl get pod {{guide}} -o yaml > pod.yaml
kubectl replace --force -f pod.yaml
kubectl create configmap uids --from-literal=before=$before --from-literal=after=$(kubectl get pod {{guide}} -o jsonpath='{.metadata.uid}')
kubectl create namespace {{annex}}
kubectl delete configmap exhibit
kubectl create configmap exhibit -n {{annex}}
