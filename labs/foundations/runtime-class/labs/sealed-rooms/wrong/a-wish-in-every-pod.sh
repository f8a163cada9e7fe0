# fails: not-in-the-pods
# after: rooms-with-a-label.sh
kubectl patch deployment candidate -p '{"spec": {"template": {"spec": {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": [{"key": "rooms", "operator": "Exists"}]}]}}}}}}}'
kubectl rollout status deployment/candidate --timeout=120s
