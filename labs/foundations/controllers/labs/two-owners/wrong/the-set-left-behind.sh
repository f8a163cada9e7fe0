# fails: heals
kubectl delete replicaset {{sorting}} --cascade=orphan
kubectl apply -f trial.yaml
kubectl wait --for=condition=Ready pod/trial --timeout=60s
sleep 3
