kubectl taint node {{rooms.one}} {{rooms.two}} exam=sealed:NoSchedule
kubectl label node {{rooms.one}} {{rooms.two}} exam=sealed
cat > class.yaml <<'END'
apiVersion: node.k8s.io/v1
kind: RuntimeClass
metadata: {name: sealed}
handler: runc
scheduling:
  nodeSelector: {exam: sealed}
  tolerations: [{key: exam, value: sealed, effect: NoSchedule}]
overhead: {podFixed: {cpu: {{cpu}}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: candidate}
spec:
  replicas: {{candidates}}
  selector: {matchLabels: {app: candidate}}
  template:
    metadata: {labels: {app: candidate}}
    spec:
      runtimeClassName: sealed
      terminationGracePeriodSeconds: 0
      containers:
        - {name: program, image: "busybox:1.36", command: [sh, -c, "echo 42; sleep 86400"], resources: {requests: {cpu: 100m}}}
END
kubectl delete deployment candidate
kubectl apply -f class.yaml
kubectl rollout status deployment/candidate --timeout=120s
