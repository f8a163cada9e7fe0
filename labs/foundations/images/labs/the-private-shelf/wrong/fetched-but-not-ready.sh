# fails: fetched
# after: in-the-template.sh
kubectl patch deployment reader -n {{library}} --type=merge -p '{"spec": {"strategy": {"type": "Recreate", "rollingUpdate": null}}}'
kubectl patch deployment reader -n {{library}} -p '{"spec": {"template": {"spec": {"containers": [{"name": "app", "readinessProbe": {"httpGet": {"port": 81}}}]}}}}'
sleep 30
