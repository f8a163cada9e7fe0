# fails: slow-is-left-alone lifts-start
# after: one-probe-each.sh
for name in map lifts; do kubectl patch deployment $name -p '{"spec": {"template": {"spec": {"containers": [{"name": "web", "startupProbe": {"failureThreshold": 3}}]}}}}'; done
sleep 20
