# fails: absence closed stuck
kubectl patch statefulset tickets --type=json -p '[{"op": "replace", "path": "/spec/template/spec/containers/0/livenessProbe/failureThreshold", "value": 10}]'
kubectl delete pods -l app=tickets
kubectl rollout status statefulset/tickets --timeout=180s
sleep 20
