# fails: fit
# after: the-step-goes-first.sh
kubectl patch deployment {{press}} -p '{"spec": {"template": {"spec": {"containers": [{"name": "main", "readinessProbe": {"exec": {"command": ["false"]}}}]}}}}'
sleep 20
