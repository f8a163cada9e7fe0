fault power {{machine.dead}} on
cat > report.yaml <<'END'
apiVersion: v1
kind: ConfigMap
metadata: {name: report}
data: {ready: Unknown, leases: kube-node-lease, noticed: "50", evicted: "300", confirms: kubelet}
END
kubectl apply -f report.yaml
kubectl wait --for=condition=Ready node/{{machine.dead}} --timeout=300s
sleep 90
kubectl rollout status statefulset/{{gauge}} --timeout=300s
kubectl patch deployment board --type=json -p '[{"op": "add", "path": "/spec/template/spec/tolerations", "value": [{"key": "node.kubernetes.io/unreachable", "effect": "NoExecute", "operator": "Exists", "tolerationSeconds": 0}]}]'
kubectl rollout status deployment/board --timeout=300s
sleep 30
