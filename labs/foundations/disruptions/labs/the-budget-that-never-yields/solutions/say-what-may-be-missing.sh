kubectl patch poddisruptionbudget {{grid}} --type=merge -p '{"spec": {"minAvailable": null, "maxUnavailable": 1}}'
kubectl patch poddisruptionbudget {{sick}} --type=merge -p '{"spec": {"unhealthyPodEvictionPolicy": "AlwaysAllow"}}'
sleep 3
kubectl drain worker-1 --ignore-daemonsets --timeout=120s
kubectl rollout status deployment/{{grid}} --timeout=120s
sleep 10
