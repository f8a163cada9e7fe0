# fails: in-force grid-yields sick-yields
kubectl patch poddisruptionbudget {{grid}} --type=merge -p '{"spec": {"minAvailable": 0}}'
kubectl patch poddisruptionbudget {{sick}} --type=merge -p '{"spec": {"maxUnavailable": "100%", "unhealthyPodEvictionPolicy": "AlwaysAllow"}}'
sleep 3
kubectl drain worker-1 --ignore-daemonsets --timeout=120s
kubectl rollout status deployment/{{grid}} --timeout=120s
sleep 10
