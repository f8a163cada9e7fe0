# fails: same-pods
kubectl delete service pager
kubectl expose deployment pager --port=80
kubectl scale deployment pager --replicas=3
kubectl rollout status deployment/pager --timeout=120s
