# fails: alive released
kubectl delete pod {{sick}}
kubectl wait --for=jsonpath='{.status.readyReplicas}'=4 replicaset/quotes --timeout=120s
sleep 5
