# fails: grid-yields
# after: say-what-may-be-missing.sh
kubectl patch poddisruptionbudget {{grid}} --type=merge -p '{"spec": {"maxUnavailable": null, "minAvailable": 3}}'
sleep 3
