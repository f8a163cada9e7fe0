# fails: slow-is-late
# after: one-probe-each.sh
kubectl patch deployment map -p '{"spec": {"template": {"spec": {"containers": [{"name": "web", "startupProbe": null, "livenessProbe": {"initialDelaySeconds": 60}}]}}}}'
kubectl rollout status deployment/map --timeout=180s
sleep 3
