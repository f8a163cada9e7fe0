# fails: clean
kubectl delete pods -n {{first}} --field-selector=status.phase=Failed
kubectl create configmap round --from-literal={{first}}=3 --from-literal={{second}}=1
