# fails: lifts-restart
# after: one-probe-each.sh
kubectl patch deployment lifts --type=json -p '[{"op": "remove", "path": "/spec/template/spec/containers/0/startupProbe"}, {"op": "add", "path": "/spec/template/spec/containers/0/livenessProbe/initialDelaySeconds", "value": 600}]'
kubectl rollout status deployment/lifts --timeout=180s
sleep 3
