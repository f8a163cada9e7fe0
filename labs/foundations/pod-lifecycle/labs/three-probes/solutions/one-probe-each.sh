kubectl patch deployment webcam -p '{"spec": {"template": {"spec": {"containers": [{"name": "web", "readinessProbe": {"httpGet": {"path": "/ready", "port": 80}, "periodSeconds": 5}}]}}}}'
kubectl patch deployment avalanche -p '{"spec": {"template": {"spec": {"containers": [{"name": "web", "livenessProbe": {"httpGet": {"path": "/", "port": 80}, "periodSeconds": 5, "failureThreshold": 3}}]}}}}'
kubectl patch deployment map -p '{"spec": {"template": {"spec": {"containers": [{"name": "web", "livenessProbe": {"initialDelaySeconds": 0}, "startupProbe": {"httpGet": {"path": "/", "port": 80}, "periodSeconds": 5, "failureThreshold": 20}}]}}}}'
cat > probes.json <<'END'
{"spec": {"template": {"spec": {"containers": [{"name": "web", "startupProbe": {"httpGet": {"port": 80}, "periodSeconds": 5, "failureThreshold": 20}, "livenessProbe": {"httpGet": {"port": 80}, "periodSeconds": 5}}]}}}}
END
kubectl apply -f lifts.yaml
kubectl patch deployment lifts --patch-file probes.json
for name in webcam avalanche map lifts; do kubectl rollout status deployment/$name --timeout=180s; done
sleep 3
