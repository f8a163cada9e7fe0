# fails: heals served
kubectl scale replicaset {{sorting}} --replicas=4
kubectl run trial --image=nginx:1.28
kubectl wait --for=condition=Ready pod/trial --timeout=60s
sleep 3
