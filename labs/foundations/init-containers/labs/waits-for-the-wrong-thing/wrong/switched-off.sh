# fails: asks calm
kubectl scale deployment mill --replicas=0
kubectl wait --for=delete pod -l app=mill --timeout=60s
