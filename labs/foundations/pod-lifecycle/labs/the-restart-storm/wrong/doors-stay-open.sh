# fails: calm absence closed
kubectl patch statefulset tickets --type=json -p '[{"op": "replace", "path": "/spec/template/spec/containers/0/livenessProbe", "value": {"tcpSocket": {"port": 80}, "periodSeconds": 5}}, {"op": "add", "path": "/spec/template/spec/containers/0/readinessProbe", "value": {"tcpSocket": {"port": 80}}}]'
kubectl delete pods -l app=tickets
kubectl rollout status statefulset/tickets --timeout=180s
sleep 20
kubectl exec tickets-1 -- nginx -s stop
sleep 60
