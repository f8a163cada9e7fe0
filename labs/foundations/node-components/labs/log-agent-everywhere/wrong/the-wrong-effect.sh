# fails: covered returns
kubectl patch daemonset log-agent --type=merge -p '{"spec": {"template": {"spec": {"tolerations": [{"operator": "Exists", "effect": "NoExecute"}]}}}}'
kubectl rollout status daemonset/log-agent --timeout=120s
