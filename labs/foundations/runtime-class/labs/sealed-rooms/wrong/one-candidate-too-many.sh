# fails: sealed
# after: rooms-with-a-label.sh
kubectl scale deployment candidate --replicas=6
kubectl rollout status deployment/candidate --timeout=120s
