# fails: now-a
# after: each-its-own-way.sh
kubectl patch configmap timetable -p '{"data": {"first": "0501"}}'
kubectl get pod board-east -o yaml > east.yaml
kubectl replace --force -f east.yaml
kubectl wait --for=condition=Ready pod/board-east --timeout=60s
sleep 10
