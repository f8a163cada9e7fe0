# fails: no-wish
# after: stop-and-start.sh
kubectl scale deployment {{boats}} --replicas=0
kubectl wait --for=delete pod -l app={{boats}} --timeout=60s
kubectl patch deployment {{boats}} --type=merge -p '{"spec": {"replicas": 6, "template": {"spec": {"topologySpreadConstraints": null, "affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
  {"weight": 100, "podAffinityTerm": {"topologyKey": "pier", "labelSelector": {"matchLabels": {"app": "{{boats}}"}}}},
  {"weight": 20, "podAffinityTerm": {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "{{boats}}"}}}}]}}}}}}'
kubectl rollout status deployment/{{boats}} --timeout=120s
sleep 5
