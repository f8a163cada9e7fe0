# fails: released
kubectl label pod {{sick}} app=quotes-case --overwrite
kubectl wait --for=jsonpath='{.status.readyReplicas}'=4 replicaset/quotes --timeout=120s
sleep 5
