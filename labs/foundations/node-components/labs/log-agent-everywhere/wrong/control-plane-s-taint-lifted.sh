# fails: taints-stand
kubectl taint node control-plane node-role.kubernetes.io/control-plane-
kubectl patch daemonset log-agent --type=merge -p '{"spec": {"template": {"spec": {"tolerations": [{"operator": "Exists"}]}}}}'
kubectl rollout status daemonset/log-agent --timeout=120s
