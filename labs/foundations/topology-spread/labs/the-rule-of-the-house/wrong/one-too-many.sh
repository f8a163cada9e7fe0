# fails: all-run even
# after: a-rule-of-its-own.sh
kubectl scale deployment {{faculty}} --replicas=5
kubectl rollout status deployment/{{faculty}} --timeout=120s
