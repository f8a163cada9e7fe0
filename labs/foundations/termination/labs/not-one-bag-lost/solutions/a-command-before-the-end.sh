cat > bags.yaml <<'END'
apiVersion: apps/v1
kind: Deployment
metadata: {name: bags}
spec:
  replicas: {{copies}}
  minReadySeconds: 2
  strategy: {rollingUpdate: {maxUnavailable: 0, maxSurge: 1}}
  selector: {matchLabels: {app: bags}}
  template:
    metadata: {labels: {app: bags}}
    spec:
      containers:
        - name: web
          image: registry.drydock.example/airport/bags:1.0
          readinessProbe: {tcpSocket: {port: 80}, periodSeconds: 2}
          lifecycle: {preStop: {exec: {command: [sleep, "5"]}}}
END
kubectl apply -f bags.yaml
kubectl rollout status deployment/bags --timeout=180s
sleep 8
