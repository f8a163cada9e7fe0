# fails: next-run
kubectl scale deployment {{board}} --replicas={{spare}}
kubectl rollout status deployment/{{board}} --timeout=120s
