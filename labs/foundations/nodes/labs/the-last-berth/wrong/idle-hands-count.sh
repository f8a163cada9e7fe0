# fails: forecast
# after: one-big-pod.sh
kubectl patch configmap forecast -p '{"data": {"idle": "yes"}}'
