# fails: never-fewer
kubectl scale deployment {{board}} --replicas=2
sleep 5
kubectl scale deployment {{board}} --replicas={{copies}}
kubectl rollout status deployment/{{board}} --timeout=120s
