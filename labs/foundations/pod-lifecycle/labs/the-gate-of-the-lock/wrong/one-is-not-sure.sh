# fails: confirmed
# after: all-at-once.sh
kubectl patch pod $(kubectl get pods -l app={{lock}} -o jsonpath='{.items[1].metadata.name}') --subresource=status -p '{"status": {"conditions": [{"type": "{{canal.gate}}", "status": "Unknown"}]}}'
sleep 5
