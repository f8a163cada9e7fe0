kubectl get replicaset {{sorting}} -o yaml > set.yaml
kubectl delete replicaset {{sorting}} --cascade=orphan
cat > set.yaml <<'END'
apiVersion: apps/v1
kind: ReplicaSet
metadata:
  name: {{sorting}}
spec:
  replicas: 3
  selector:
    matchLabels: {app: {{sorting}}, clerk: regular}
  template:
    metadata:
      labels: {app: {{sorting}}, clerk: regular}
    spec:
      containers:
        - name: web
          image: nginx:1.27
END
kubectl apply -f set.yaml
kubectl apply -f trial.yaml
kubectl wait --for=condition=Ready pod/trial --timeout=60s
sleep 3
