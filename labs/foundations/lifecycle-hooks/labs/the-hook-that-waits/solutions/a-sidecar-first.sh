kubectl patch deployment {{oven}} --type=json -p '[{"op": "remove", "path": "/spec/template/spec/containers/1"},
  {"op": "remove", "path": "/spec/template/spec/containers/0/lifecycle"},
  {"op": "add", "path": "/spec/template/spec/initContainers", "value": [{"name": "dough", "image": "nginx:1.27", "restartPolicy": "Always",
    "command": ["sh", "-c", "sleep $RISE; exec nginx -g \"daemon off;\""],
    "env": [{"name": "RISE", "valueFrom": {"configMapKeyRef": {"name": "dough", "key": "rise"}}}],
    "startupProbe": {"tcpSocket": {"port": 80}, "periodSeconds": 2, "failureThreshold": 150}}]}]'
kubectl rollout status deployment/{{oven}} --timeout=120s
sleep 20
