# fails: spared counts
kubectl delete pods -A --field-selector=status.phase=Failed
kubectl create configmap round --from-literal={{first}}=3 --from-literal={{second}}=2
