# fails: handed-over
cat > copies.yaml <<'END'
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{board}}
spec:
  replicas: {{copies}}
END
kubectl apply --server-side --field-manager=capacity -f copies.yaml
