kubectl patch deployment mill --type=json -p '[{"op": "replace", "path": "/spec/template/spec/initContainers/0/command",
  "value": ["sh", "-c", "until wget -q -O /dev/null -T 2 http://{{grain}}/; do echo waiting; sleep 2; done"]}]'
kubectl rollout status deployment/mill --timeout=120s
sleep 10
