kubectl get pods -A --field-selector=status.phase=Failed,metadata.namespace!=audit,metadata.namespace!=kube-system -l 'keep notin (evidence)' -o jsonpath='{range .items[*]}{.metadata.namespace}{" "}{.metadata.name}{"\n"}{end}' > failed.txt
while read space name; do kubectl delete pod $name -n $space; done < failed.txt
kubectl create configmap round --from-literal={{first}}=$(grep -c {{first}} failed.txt) --from-literal={{second}}=$(grep -c {{second}} failed.txt)
