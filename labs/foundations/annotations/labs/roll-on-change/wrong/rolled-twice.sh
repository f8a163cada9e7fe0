# fails: undo
# after: a-second-configmap.sh
kubectl rollout restart deployment/display
kubectl rollout status deployment/display --timeout=120s
sleep 10
