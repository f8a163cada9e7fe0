# fails: calm however-long
kubectl patch deployment {{grain}} --type=json -p '[{"op": "add", "path": "/spec/template/spec/containers/0/readinessProbe",
  "value": {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 2}}]'
sleep 60
kubectl patch deployment mill --type=json -p '[{"op": "replace", "path": "/spec/template/spec/initContainers/0/command",
  "value": ["sh", "-c", "until wget -q -O /dev/null -T 2 http://{{grain}}/; do echo waiting; sleep 2; done"]}]'
kubectl rollout status deployment/mill --timeout=120s
sleep 10
