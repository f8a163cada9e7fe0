kubectl create configmap forecast --from-literal=uid=new --from-literal=container=old --from-literal=restarts=same --from-literal=owner=Node --from-literal=image=no --from-literal=wish=file
kubectl delete pod {{part}}-control-plane -n kube-system
names=$(kubectl get pods -n kube-system -o json | jq -r '.items[] | select(.metadata.ownerReferences[0].kind == "Node") | "--from-literal=\(.metadata.name)=static"')
kubectl create configmap static $names
kubectl wait --for=condition=Ready pod/{{part}}-control-plane -n kube-system --timeout=60s
