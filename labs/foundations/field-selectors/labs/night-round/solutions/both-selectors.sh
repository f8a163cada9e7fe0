kubectl create configmap round
for space in {{first}} {{second}}; do
  count=$(kubectl get pods -n $space --field-selector=status.phase=Failed -l 'keep!=evidence' -o name | wc -l)
  kubectl delete pods -n $space --field-selector=status.phase=Failed -l 'keep!=evidence'
  kubectl patch configmap round --type=merge -p '{"data": {"'$space'": "'$count'"}}'
done
