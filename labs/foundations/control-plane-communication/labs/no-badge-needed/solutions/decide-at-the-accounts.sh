kubectl patch serviceaccount default -n {{school}} -p '{"automountServiceAccountToken": false}'
kubectl create serviceaccount ordering -n {{school}}
kubectl set serviceaccount deployment ordering ordering -n {{school}}
kubectl rollout restart deployment menu-north {{other}} -n {{school}}
for name in menu-north {{other}} ordering; do kubectl rollout status deployment/$name -n {{school}} --timeout=120s; done
sleep 10
