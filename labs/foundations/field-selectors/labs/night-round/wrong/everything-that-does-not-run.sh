# fails: spared
kubectl create configmap round --from-literal={{first}}=3 --from-literal={{second}}=1
for space in {{first}} {{second}}; do kubectl delete pods -n $space --field-selector=status.phase!=Running -l 'keep!=evidence'; done
