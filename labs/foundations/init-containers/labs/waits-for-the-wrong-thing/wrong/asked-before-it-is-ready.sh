# fails: calm
# after: wait-for-an-answer.sh
kubectl patch service {{grain}} -p '{"spec": {"publishNotReadyAddresses": true}}'
kubectl patch deployment {{grain}} --type=json -p '[{"op": "add", "path": "/spec/template/spec/containers/0/readinessProbe", "value": {"httpGet": {"path": "/", "port": 8080}}}]'
sleep 30
