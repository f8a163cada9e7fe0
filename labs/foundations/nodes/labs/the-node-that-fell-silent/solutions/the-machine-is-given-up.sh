kubectl create configmap report --from-literal=ready=Unknown --from-literal=leases=kube-node-lease --from-literal=noticed=50 --from-literal=evicted=300 --from-literal=confirms=kubelet
kubectl delete node {{machine.dead}}
sleep 90
kubectl rollout status statefulset/{{gauge}} --timeout=300s
kubectl patch deployment board -p '{"spec": {"template": {"spec": {"tolerations": [{"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 20}]}}}}'
kubectl rollout status deployment/board --timeout=300s
sleep 5
