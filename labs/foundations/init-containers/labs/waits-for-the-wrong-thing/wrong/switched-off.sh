# fails: asks calm however-long
kubectl scale deployment mill --replicas=0
kubectl wait --for=delete pod -l app=mill --timeout=60s
