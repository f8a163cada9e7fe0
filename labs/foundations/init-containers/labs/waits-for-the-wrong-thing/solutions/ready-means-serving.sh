kubectl patch deployment {{grain}} --type=json -p '[{"op": "add", "path": "/spec/template/spec/containers/0/readinessProbe",
  "value": {"httpGet": {"path": "/", "port": 80}, "periodSeconds": 2}}]'
kubectl patch service {{grain}} --type=merge -p '{"spec": {"sessionAffinity": "None"}}'
kubectl rollout status deployment/{{grain}} --timeout=120s
kubectl patch deployment mill --type=json -p '[{"op": "replace", "path": "/spec/template/spec/initContainers/0/command",
  "value": ["sh", "-c", "until nc -z -w 2 {{grain}} 80; do echo waiting; sleep 2; done"]}]'
kubectl rollout status deployment/mill --timeout=120s
sleep 10
