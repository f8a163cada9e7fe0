# fails: forecast
# after: by-the-annotation.sh
kubectl patch configmap forecast -p '{"data": {"container": "new", "restarts": "more"}}'
