kubectl patch statefulset tickets --type=json -p '[{"op": "replace", "path": "/spec/template/spec/containers/0/livenessProbe", "value": {"tcpSocket": {"port": 80}, "periodSeconds": 10, "failureThreshold": 2}},
  {"op": "add", "path": "/spec/template/spec/containers/0/readinessProbe", "value": {"exec": {"command": ["sh", "-c", "nc -z localhost 80 && wget -q -O /dev/null -T 1 http://{{seats}}/"]}, "timeoutSeconds": 3}}]'
kubectl delete pods -l app=tickets
kubectl rollout status statefulset/tickets --timeout=180s
sleep 20
