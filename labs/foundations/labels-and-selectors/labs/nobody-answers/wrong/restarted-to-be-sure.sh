# fails: same-pods
kubectl delete service pager
kubectl expose deployment pager --port=80
kubectl rollout restart deployment/pager
kubectl rollout status deployment/pager --timeout=120s
