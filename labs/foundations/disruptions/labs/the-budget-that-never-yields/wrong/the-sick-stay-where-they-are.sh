# fails: sick-yields
# after: say-what-may-be-missing.sh
kubectl patch poddisruptionbudget {{sick}} --type=merge -p '{"spec": {"unhealthyPodEvictionPolicy": "IfHealthyBudget"}}'
sleep 3
