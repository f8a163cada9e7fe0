# fails: own
kubectl patch serviceaccount default -n {{school}} -p '{"automountServiceAccountToken": false}'
kubectl create serviceaccount ordering -n {{school}}
kubectl patch deployment ordering -n {{school}} -p '{"spec": {"template": {"spec": {"serviceAccountName": "ordering", "containers": [{"name": "web", "image": "nginx:none"}]}}}}'
kubectl rollout restart deployment menu-north {{other}} -n {{school}}
for name in menu-north {{other}}; do kubectl rollout status deployment/$name -n {{school}} --timeout=120s; done
sleep 20
