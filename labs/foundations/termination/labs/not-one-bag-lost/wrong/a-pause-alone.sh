# fails: rollouts
kubectl patch deployment bags -p '{"spec": {"template": {"spec": {"containers": [{"name": "web", "lifecycle": {"preStop": {"sleep": {"seconds": 5}}}}]}}}}'
kubectl rollout status deployment/bags --timeout=180s
sleep 8
