# fails: calm asks however-long
kubectl patch deployment mill --type=json -p '[{"op": "replace", "path": "/spec/template/spec/initContainers/0/command",
  "value": ["sh", "-c", "until wget -q -O /dev/null -T 2 http://{{grain}}-store/; do sleep 2; done"]}]'
kubectl scale deployment mill --replicas=0
kubectl wait --for=delete pod -l app=mill --timeout=60s
kubectl scale deployment mill --replicas=1
sleep 30
