# fails: withdrawn
kubectl patch deployment {{lock}} -p '{"spec": {"strategy": {"type": "Recreate", "rollingUpdate": null}, "template": {"spec": {"readinessGates": [{"conditionType": "{{canal.gate}}"}]}}}}'
sleep 30
for pod in $(kubectl get pods -l app={{lock}} -o name | head -n 2); do
  kubectl patch $pod --subresource=status -p '{"status": {"conditions": [{"type": "{{canal.gate}}", "status": "True"}]}}'
done
sleep 10
