# fails: three-ready
# after: apply-the-file.sh
kubectl patch deployment web -p '{"spec": {"template": {"spec": {"containers": [{"name": "nginx", "readinessProbe": {"exec": {"command": ["false"]}}}]}}}}'
sleep 30
