kubectl cordon {{berth}}
kubectl scale deployment {{booking}} --replicas=9
kubectl rollout status deployment/{{booking}} --timeout=180s
kubectl drain {{berth}} --ignore-daemonsets --force
cat > tide-table.yaml <<'END'
apiVersion: v1
kind: Pod
metadata:
  name: tide-table
spec:
  containers:
    - name: table
      image: busybox:1.36
      command: [sh, -c, "while true; do echo high water; sleep 5; done"]
END
kubectl apply -f tide-table.yaml
kubectl wait --for=condition=Ready pod/tide-table --timeout=60s
kubectl rollout status deployment/{{booking}} --timeout=180s
kubectl label node {{berth}} yard=inspected
kubectl uncordon {{berth}}
kubectl scale deployment {{booking}} --replicas=12
kubectl rollout status deployment/{{booking}} --timeout=180s
