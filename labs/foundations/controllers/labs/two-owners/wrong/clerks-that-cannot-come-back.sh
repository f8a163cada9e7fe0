# fails: heals served
kubectl set image replicaset/{{sorting}} web=nginx:none
kubectl run trial --image=nginx:1.28
kubectl wait --for=condition=Ready pod/trial --timeout=60s
