# fails: kept
# after: one-query.sh
kubectl delete pods --field-selector=status.phase!=Running
kubectl delete job departure
