# fails: patient
kubectl patch deployment {{oven}} --type=json -p '[{"op": "remove", "path": "/spec/template/spec/containers/0/lifecycle"}]'
sleep 90
