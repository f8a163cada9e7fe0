# fails: own served
kubectl patch serviceaccount default -n {{school}} -p '{"automountServiceAccountToken": false}'
kubectl patch deployment ordering -n {{school}} -p '{"spec": {"template": {"spec": {"automountServiceAccountToken": true}}}}'
kubectl delete pods -n {{school}} -l part=menu --wait=false
for name in menu-north {{other}} ordering; do kubectl rollout status deployment/$name -n {{school}} --timeout=120s; done
sleep 10
