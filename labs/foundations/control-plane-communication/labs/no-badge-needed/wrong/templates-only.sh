# fails: new-ones own
for name in menu-north {{other}} ordering; do kubectl patch deployment $name -n {{school}} -p '{"spec": {"template": {"spec": {"automountServiceAccountToken": false}}}}'; done
for name in menu-north {{other}} ordering; do kubectl rollout status deployment/$name -n {{school}} --timeout=120s; done
sleep 10
