# fails: however-long
kubectl patch deployment mill --type=json -p '[{"op": "replace", "path": "/spec/template/spec/initContainers/0/command", "value": ["sleep", "60"]}]'
kubectl rollout status deployment/mill --timeout=120s
sleep 20
