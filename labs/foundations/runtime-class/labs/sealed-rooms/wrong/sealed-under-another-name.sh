# fails: sealed
# after: rooms-with-a-label.sh
kubectl get runtimeclass sealed -o yaml | sed 's/name: sealed/name: closed/' > closed.yaml
kubectl create -f closed.yaml
kubectl patch deployment candidate -p '{"spec": {"template": {"spec": {"runtimeClassName": "closed"}}}}'
kubectl rollout status deployment/candidate --timeout=120s
