# fails: asks
kubectl patch deployment mill --type=json -p '[{"op": "replace", "path": "/spec/template/spec/containers/0/command",
  "value": ["sh", "-c", "echo first sack: taken on trust; sleep 86400"]}]'
kubectl rollout status deployment/mill --timeout=120s
sleep 10
