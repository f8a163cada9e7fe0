# fails: own
kubectl patch serviceaccount default -n {{school}} -p '{"automountServiceAccountToken": false}'
kubectl create serviceaccount ordering -n {{school}}
kubectl patch deployment ordering -n {{school}} -p '{"spec": {"template": {"spec": {"serviceAccountName": "ordering", "automountServiceAccountToken": false}}}}'
kubectl rollout restart deployment menu-north {{other}} -n {{school}}
for name in menu-north {{other}} ordering; do kubectl rollout status deployment/$name -n {{school}} --timeout=120s; done
sleep 10
