# fails: empty in-force
kubectl patch poddisruptionbudget {{grid}} --type=merge -p '{"spec": {"minAvailable": null, "maxUnavailable": 1}}'
kubectl patch poddisruptionbudget {{sick}} --type=merge -p '{"spec": {"unhealthyPodEvictionPolicy": "AlwaysAllow"}}'
sleep 3
