# fails: none served
kubectl patch serviceaccount default -n {{school}} -p '{"automountServiceAccountToken": false}'
kubectl create serviceaccount ordering -n {{school}}
kubectl set serviceaccount deployment ordering ordering -n {{school}}
kubectl scale deployment menu-north {{other}} -n {{school}} --replicas=0
kubectl rollout status deployment/ordering -n {{school}} --timeout=120s
sleep 10
