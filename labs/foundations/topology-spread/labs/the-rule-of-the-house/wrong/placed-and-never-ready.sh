# fails: all-run even
# after: only-open-floors.sh
kubectl patch deployment {{faculty}} -p '{"spec": {"template": {"spec": {"containers": [{"name": "web", "readinessProbe": {"exec": {"command": ["false"]}}}]}}}}'
sleep 30
