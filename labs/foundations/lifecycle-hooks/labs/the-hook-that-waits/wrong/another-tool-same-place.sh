# fails: baked patient
kubectl patch deployment {{oven}} --type=json -p '[{"op": "replace", "path": "/spec/template/spec/containers/0/lifecycle/postStart/exec/command", "value": ["sh", "-c", "until wget -q -O /dev/null -T 2 http://localhost/; do sleep 2; done"]}]'
sleep 60
