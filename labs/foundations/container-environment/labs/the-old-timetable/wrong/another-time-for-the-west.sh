# fails: now-b
# after: each-its-own-way.sh
kubectl patch configmap timetable -p '{"data": {"first": "0501"}}'
kubectl get pod board-west -o yaml > west.yaml
kubectl replace --force -f west.yaml
kubectl wait --for=condition=Ready pod/board-west --timeout=60s
sleep 10
