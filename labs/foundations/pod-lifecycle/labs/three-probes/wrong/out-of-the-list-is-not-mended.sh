# fails: stuck
# after: one-probe-each.sh
kubectl patch deployment avalanche -p '{"spec": {"template": {"spec": {"containers": [{"name": "web", "livenessProbe": null, "readinessProbe": {"httpGet": {"path": "/", "port": 80}, "periodSeconds": 5}}]}}}}'
kubectl rollout status deployment/avalanche --timeout=180s
