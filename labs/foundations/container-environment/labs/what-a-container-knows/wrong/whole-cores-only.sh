# fails: limit
# after: as-asked.sh
kubectl patch deployment gauge -p '{"spec": {"template": {"spec": {"containers": [{"name": "gauge", "env": [{"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "1"}}}]}]}}}}'
kubectl rollout status deployment/gauge --timeout=120s
sleep 10
