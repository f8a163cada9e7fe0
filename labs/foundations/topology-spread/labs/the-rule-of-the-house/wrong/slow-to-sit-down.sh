# fails: even
# after: only-open-floors.sh
kubectl patch deployment {{faculty}} -p '{"spec": {"template": {"spec": {"containers": [{"name": "web", "readinessProbe": {"httpGet": {"path": "/", "port": 80}, "initialDelaySeconds": 90}}]}}}}'
kubectl rollout status deployment/{{faculty}} --timeout=180s
