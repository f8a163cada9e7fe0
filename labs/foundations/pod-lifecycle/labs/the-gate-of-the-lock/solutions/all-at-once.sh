kubectl patch deployment {{lock}} -p '{"spec": {"strategy": {"type": "Recreate", "rollingUpdate": null}, "template": {"spec": {"readinessGates": [{"conditionType": "{{canal.gate}}"}]}}}}'
sleep 30
said=True
for pod in $(kubectl get pods -l app={{lock}} -o jsonpath='{.items[1].metadata.name} {.items[2].metadata.name} {.items[0].metadata.name}'); do
  test $pod = $(kubectl get pods -l app={{lock}} -o jsonpath='{.items[0].metadata.name}') && said=False
  kubectl patch pod $pod --subresource=status -p '{"status": {"conditions": [{"type": "{{canal.gate}}", "status": "'$said'"}]}}'
done
sleep 10
