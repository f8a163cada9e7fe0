# fails: forecast
# after: wait-for-the-end.sh
kubectl patch configmap forecast -p '{"data": {"writing": "no"}}'
