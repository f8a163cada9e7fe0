# fails: slow-is-left-alone
# after: one-probe-each.sh
kubectl patch deployment map -p '{"spec": {"template": {"spec": {"containers": [{"name": "web", "startupProbe": {"failureThreshold": 3}}]}}}}'
sleep 20
