# fails: baked patient
kubectl patch deployment {{oven}} --type=json -p '[{"op": "remove", "path": "/spec/template/spec/containers/0/lifecycle"},
  {"op": "replace", "path": "/spec/template/spec/containers/0/command", "value": ["sh", "-c", "echo first tray: taken on trust; sleep 86400"]}]'
kubectl rollout status deployment/{{oven}} --timeout=120s
sleep 10
