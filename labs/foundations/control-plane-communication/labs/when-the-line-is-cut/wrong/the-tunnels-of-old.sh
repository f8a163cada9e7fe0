# fails: forecast
# after: killed-while-cut.sh
kubectl patch configmap forecast -p '{"data": {"heir": "ssh"}}'
