# fails: running no-loss selectable recommended
kubectl apply -f new.yaml || true
kubectl label deployment glacier app.kubernetes.io/part-of=film-archive
kubectl patch deployment glacier -p '{"spec": {"template": {"metadata": {"labels": {"decade": "{{decade.old}}"}}}}}'
kubectl rollout status deployment/glacier --timeout=60s
