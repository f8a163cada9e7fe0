# fails: ballast-stays
# after: one-big-pod.sh
kubectl patch deployment ballast -p '{"spec": {"template": {"spec": {"containers": [{"name": "web", "readinessProbe": {"exec": {"command": ["false"]}}}]}}}}'
sleep 30
