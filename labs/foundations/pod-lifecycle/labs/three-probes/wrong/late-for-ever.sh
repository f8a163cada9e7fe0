# fails: slow-is-left-alone lifts-start
# after: one-probe-each.sh
for name in map lifts; do kubectl patch deployment $name -p '{"spec": {"template": {"spec": {"containers": [{"name": "web", "readinessProbe": {"httpGet": {"path": "/", "port": 8080}}}]}}}}'; done
sleep 80
