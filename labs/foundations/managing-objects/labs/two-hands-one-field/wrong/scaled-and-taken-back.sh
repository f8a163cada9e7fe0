# fails: handed-over next-run
kubectl scale deployment {{board}} --replicas={{spare}}
kubectl rollout status deployment/{{board}} --timeout=120s
kubectl apply --server-side --field-manager=drydock --force-conflicts -f pipeline.yaml
