# fails: counts
for space in {{first}} {{second}}; do kubectl delete pods -n $space --field-selector=status.phase=Failed -l 'keep!=evidence'; done
kubectl create configmap round --from-literal={{first}}=4 --from-literal={{second}}=1
