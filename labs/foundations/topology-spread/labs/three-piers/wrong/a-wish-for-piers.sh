# fails: machines no-wish
kubectl label node worker-4 pier=south
kubectl scale deployment {{boats}} --replicas=0
kubectl wait --for=delete pod -l app={{boats}} --timeout=60s
kubectl patch deployment {{boats}} --type=merge -p '{"spec": {"replicas": 6, "template": {"spec": {"affinity": null, "topologySpreadConstraints": [
  {"maxSkew": 1, "topologyKey": "pier", "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": {"matchLabels": {"app": "{{boats}}"}}}]}}}}'
kubectl rollout status deployment/{{boats}} --timeout=120s
sleep 5
