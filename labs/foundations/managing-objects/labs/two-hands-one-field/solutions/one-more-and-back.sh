kubectl scale deployment {{board}} --replicas={{spare}}
kubectl rollout status deployment/{{board}} --timeout=120s
kubectl scale deployment {{board}} --replicas={{copies}}
sed -i '/replicas/d' pipeline.yaml
kubectl apply --server-side --field-manager=drydock -f pipeline.yaml
