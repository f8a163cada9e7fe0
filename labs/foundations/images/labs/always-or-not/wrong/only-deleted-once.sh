# fails: stored pulls frozen
kubectl create configmap policies --from-literal=version=Always
kubectl delete pods --all --now
kubectl rollout status deployment/{{film}} --timeout=120s
