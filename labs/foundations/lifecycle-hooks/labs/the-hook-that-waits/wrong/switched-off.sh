# fails: baked patient
kubectl scale deployment {{oven}} --replicas=0
kubectl wait --for=delete pod -l app={{oven}} --timeout=60s
