# fails: taints-stand
kubectl taint node worker-2 {{taint.key}}-
kubectl taint node control-plane node-role.kubernetes.io/control-plane-
sleep 10
kubectl rollout status daemonset/log-agent --timeout=120s
