# fails: closed
# after: liveness-asks-the-page.sh
kubectl patch statefulset tickets --type=json -p '[{"op": "replace", "path": "/spec/template/spec/containers/0/readinessProbe", "value": {"tcpSocket": {"port": 80}}}]'
kubectl delete pods -l app=tickets
kubectl rollout status statefulset/tickets --timeout=180s
sleep 20
