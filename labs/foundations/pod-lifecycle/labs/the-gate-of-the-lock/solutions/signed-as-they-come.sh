kubectl get deployment {{lock}} -o json | jq '.spec.template.spec.readinessGates = [{conditionType: "{{canal.gate}}"}] | .spec.strategy = {type: "RollingUpdate", rollingUpdate: {maxSurge: 3, maxUnavailable: 0}}' > lock.json
kubectl apply -f lock.json
sleep 30
for pod in $(kubectl get pods -l app={{lock}} -o json | jq -r '.items[] | select(.spec.readinessGates) | .metadata.name'); do
  kubectl get pod $pod -o json | jq '.status.conditions += [{type: "{{canal.gate}}", status: "True"}]' > signed.json
  kubectl replace --subresource=status -f signed.json
  sleep 2
done
kubectl rollout status deployment/{{lock}} --timeout=120s
sleep 5
kubectl patch pod $pod --subresource=status -p '{"status": {"conditions": [{"type": "{{canal.gate}}", "status": "False"}]}}'
sleep 10
