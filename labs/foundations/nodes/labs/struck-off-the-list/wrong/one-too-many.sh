# fails: loaded
# after: the-machine-starts-again.sh
kubectl scale deployment {{goods}} --replicas=3
kubectl rollout status deployment/{{goods}} --timeout=120s
