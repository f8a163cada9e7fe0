# fails: busy
# after: one-probe-each.sh
kubectl patch deployment webcam -p '{"spec": {"template": {"spec": {"containers": [{"name": "web", "livenessProbe": {"httpGet": {"path": "/ready", "port": 80}, "periodSeconds": 5}}]}}}}'
kubectl rollout status deployment/webcam --timeout=180s
