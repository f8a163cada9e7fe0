# fails: absence
kubectl patch statefulset tickets --type=json -p '[{"op": "replace", "path": "/spec/template/spec/containers/0/livenessProbe", "value": {"exec": {"command": ["sh", "-c", "nc -z localhost 80 && wget -q -O /dev/null -T 1 http://{{seats}}/"]}, "timeoutSeconds": 3, "periodSeconds": 5}}, {"op": "add", "path": "/spec/template/spec/containers/0/readinessProbe", "value": {"exec": {"command": ["wget", "-q", "-O", "/dev/null", "-T", "1", "http://{{seats}}/"]}, "timeoutSeconds": 3, "periodSeconds": 5, "failureThreshold": 2}}]'
kubectl delete pods -l app=tickets
kubectl rollout status statefulset/tickets --timeout=180s
sleep 20
