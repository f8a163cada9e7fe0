# fails: never-fewer next-run
sed -i '/replicas/d' pipeline.yaml
kubectl apply --server-side --field-manager=drydock -f pipeline.yaml
sleep 10
