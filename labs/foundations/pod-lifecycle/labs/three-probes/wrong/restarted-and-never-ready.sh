# fails: stuck
# after: one-probe-each.sh
kubectl patch deployment avalanche -p '{"spec": {"template": {"spec": {"containers": [{"name": "web", "readinessProbe": {"httpGet": {"path": "/", "port": 8080}}}]}}}}'
sleep 30
