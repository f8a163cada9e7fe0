cat > machine.yaml <<'END'
apiVersion: v1
kind: Node
metadata:
  name: {{machine}}
  labels:
    kubernetes.io/hostname: {{machine}}
    kubernetes.io/os: linux
    dock: {{dock}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: report, namespace: default}
data: {registers: kubelet, while-running: "no", label-returns: "no", flag: --node-labels, capacity: kubelet}
END
kubectl create -f machine.yaml
sleep 330
kubectl rollout status deployment/{{goods}} --timeout=120s
