# fails: back
# after: the-machine-is-given-up.sh
kubectl scale statefulset {{gauge}} --replicas=2
kubectl rollout status statefulset/{{gauge}} --timeout=120s
