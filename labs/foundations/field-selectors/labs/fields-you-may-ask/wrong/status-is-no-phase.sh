# fails: board
# after: one-query.sh
kubectl patch configmap board -p '{"data": {"crashing": "1", "running": "{{desks}}"}}'
