# fails: lifts-start
# after: one-probe-each.sh
kubectl patch deployment lifts -p '{"spec": {"template": {"spec": {"containers": [{"name": "web", "readinessProbe": {"httpGet": {"path": "/", "port": 8080}}}]}}}}'
sleep 80
