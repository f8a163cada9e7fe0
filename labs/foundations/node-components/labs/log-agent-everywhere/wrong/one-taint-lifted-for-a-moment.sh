# fails: taints-stand
kubectl taint node worker-2 {{taint.key}}-
kubectl patch daemonset log-agent --type=merge -p '{"spec": {"template": {"spec": {"tolerations": [{"operator": "Exists"}]}}}}'
kubectl rollout status daemonset/log-agent --timeout=120s
kubectl taint node worker-2 {{taint.key}}={{taint.value}}:{{taint.effect}}
