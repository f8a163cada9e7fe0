# fails: sooner
# after: the-machine-is-given-up.sh
kubectl patch deployment board -p '{"spec": {"template": {"spec": {"tolerations": [{"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 600}]}}}}'
kubectl rollout status deployment/board --timeout=300s
sleep 5
