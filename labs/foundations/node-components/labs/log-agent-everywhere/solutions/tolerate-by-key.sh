kubectl patch daemonset log-agent --type=merge -p '{"spec": {"template": {"spec": {"tolerations": [
  {"key": "node-role.kubernetes.io/control-plane", "operator": "Exists", "effect": "NoSchedule"},
  {"key": "{{taint.key}}", "operator": "Equal", "value": "{{taint.value}}", "effect": "NoSchedule"}
]}}}}'
kubectl rollout status daemonset/log-agent --timeout=120s
