# fails: forecast
# after: by-commands.sh
kubectl patch configmap forecast -p '{"data": {"external-ip": "yes"}}'
