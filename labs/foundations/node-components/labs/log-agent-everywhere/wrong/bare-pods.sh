# fails: returns
for node in control-plane worker-2; do
  kubectl run agent-$node --image=busybox:1.36 --labels=app=log-agent --overrides='{"spec": {"nodeName": "'$node'", "terminationGracePeriodSeconds": 1}}' -- sleep 86400
done
kubectl wait --for=condition=Ready pod -l app=log-agent --timeout=60s
