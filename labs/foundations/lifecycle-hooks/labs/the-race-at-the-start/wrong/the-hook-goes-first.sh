# fails: forecast
# after: a-hook-and-enough-grace.sh
kubectl patch configmap race -p '{"data": {"order": "yes"}}'
