kubectl label pod {{sick}} app-
kubectl label pod {{sick}} case={{case}}
kubectl wait --for=jsonpath='{.status.readyReplicas}'=4 replicaset/quotes --timeout=120s
sleep 5
