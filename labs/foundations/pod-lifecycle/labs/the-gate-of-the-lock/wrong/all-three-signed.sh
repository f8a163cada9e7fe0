# fails: confirmed withdrawn
# after: all-at-once.sh
for pod in $(kubectl get pods -l app={{lock}} -o name); do
  kubectl patch $pod --subresource=status -p '{"status": {"conditions": [{"type": "{{canal.gate}}", "status": "True"}]}}'
done
sleep 10
