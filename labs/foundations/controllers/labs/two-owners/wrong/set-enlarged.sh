# fails: lives
kubectl get replicaset {{sorting}} -o yaml > set.yaml
kubectl delete replicaset {{sorting}} --cascade=orphan
kubectl apply -f trial.yaml
kubectl wait --for=condition=Ready pod/trial --timeout=60s
sed -i 's/replicas: 3/replicas: 4/; /resourceVersion/d; /uid/d' set.yaml
kubectl create -f set.yaml
sleep 5
