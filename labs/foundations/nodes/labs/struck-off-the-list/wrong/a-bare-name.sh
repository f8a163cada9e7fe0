# fails: listed
cat > machine.yaml <<'END'
apiVersion: v1
kind: Node
metadata:
  name: {{machine}}
  labels: {kubernetes.io/os: linux, dock: {{dock}}}
END
kubectl create -f machine.yaml
kubectl create configmap report --from-literal=registers=kubelet --from-literal=while-running=no --from-literal=label-returns=no --from-literal=flag=--node-labels --from-literal=capacity=kubelet
sleep 330
kubectl rollout status deployment/{{goods}} --timeout=120s
