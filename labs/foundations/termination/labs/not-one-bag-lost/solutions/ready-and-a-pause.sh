kubectl patch deployment bags -p '{"spec": {"template": {"spec": {"containers": [{"name": "web", "readinessProbe": {"httpGet": {"path": "/", "port": 80}, "periodSeconds": 1}, "lifecycle": {"preStop": {"sleep": {"seconds": 5}}}}]}}}}'
kubectl rollout status deployment/bags --timeout=180s
sleep 8
