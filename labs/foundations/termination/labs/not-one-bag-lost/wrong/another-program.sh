# fails: program
# after: ready-and-a-pause.sh
kubectl patch deployment bags -p '{"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "nginx:1.27"}]}}}}'
kubectl rollout status deployment/bags --timeout=180s
sleep 8
