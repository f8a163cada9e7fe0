# fails: empty
# after: say-what-may-be-missing.sh
kubectl uncordon worker-1
kubectl rollout restart deployment/{{grid}}
kubectl rollout status deployment/{{grid}} --timeout=120s
sleep 10
