# fails: forecast
# after: honor-the-taint.sh
kubectl patch configmap forecast -p '{"data": {"running": "3"}}'
