# fails: out-of-traffic released
kubectl label pod {{sick}} case={{case}}
kubectl scale replicaset quotes --replicas=5
kubectl wait --for=jsonpath='{.status.readyReplicas}'=5 replicaset/quotes --timeout=120s
sleep 5
