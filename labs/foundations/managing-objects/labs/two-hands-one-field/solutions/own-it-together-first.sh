cat > copies.yaml <<'END'
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{board}}
spec:
  replicas: {{copies}}
END
kubectl apply --server-side --field-manager=capacity -f copies.yaml
sed -i '/replicas/d' pipeline.yaml
kubectl apply --server-side --field-manager=drydock -f pipeline.yaml
