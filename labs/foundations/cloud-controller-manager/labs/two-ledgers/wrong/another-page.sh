# fails: answers inside
# after: by-commands.sh
kubectl create configmap page --from-literal=index.html=closed
kubectl patch deployment {{stall}} -p '{"spec": {"template": {"spec": {"volumes": [{"name": "page", "configMap": {"name": "page"}}], "containers": [{"name": "web", "volumeMounts": [{"name": "page", "mountPath": "/usr/share/nginx/html"}]}]}}}}'
kubectl rollout status deployment/{{stall}} --timeout=120s
sleep 5
