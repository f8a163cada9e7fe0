# fails: open
# after: one-probe-each.sh
kubectl patch deployment webcam -p '{"spec": {"template": {"spec": {"containers": [{"name": "web", "readinessProbe": {"httpGet": {"path": "/nothing", "port": 80}}}]}}}}'
sleep 20
