# fails: none
kubectl patch serviceaccount default -n {{school}} -p '{"automountServiceAccountToken": false}'
kubectl create serviceaccount ordering -n {{school}}
kubectl set serviceaccount deployment ordering ordering -n {{school}}
kubectl rollout status deployment/ordering -n {{school}} --timeout=120s
sleep 10
