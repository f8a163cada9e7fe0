# fails: gated waits confirmed serves withdrawn
# after: all-at-once.sh
kubectl patch deployment {{lock}} -p '{"spec": {"template": {"spec": {"containers": [{"name": "web", "readinessProbe": {"httpGet": {"port": 81}}}]}}}}'
sleep 30
for pod in $(kubectl get pods -l app={{lock}} -o name); do
  kubectl patch $pod --subresource=status -p '{"status": {"conditions": [{"type": "{{canal.gate}}", "status": "True"}]}}'
done
kubectl patch $pod --subresource=status -p '{"status": {"conditions": [{"type": "{{canal.gate}}", "status": "False"}]}}'
sleep 10
