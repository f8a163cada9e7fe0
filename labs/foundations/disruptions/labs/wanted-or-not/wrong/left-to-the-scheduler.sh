# fails: never-two
kubectl create configmap losses --from-literal=drain=voluntary --from-literal=rollout=voluntary --from-literal=delete=voluntary --from-literal=fire=involuntary --from-literal=pressure=involuntary --from-literal=network=involuntary --from-literal=asks=drain
kubectl patch deployment {{plan}} -p '{"spec": {"template": {"spec": {"nodeSelector": null, "containers": [{"name": "web", "resources": {"requests": {"cpu": "50m", "memory": "32Mi"}}}]}}}}'
kubectl rollout status deployment/{{plan}} --timeout=60s
sleep 5
