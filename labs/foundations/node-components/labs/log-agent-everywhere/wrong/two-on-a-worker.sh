# fails: covered returns
kubectl run agent-a --image=busybox:1.36 --labels=app=log-agent -- sleep 86400
kubectl run agent-b --image=busybox:1.36 --labels=app=log-agent -- sleep 86400
kubectl wait --for=condition=Ready pod -l app=log-agent --timeout=60s
