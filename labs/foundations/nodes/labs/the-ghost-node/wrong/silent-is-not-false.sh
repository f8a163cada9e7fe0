# fails: forecast
# after: the-pod-waits-to-go.sh
kubectl patch configmap forecast -p '{"data": {"ready": "False"}}'
