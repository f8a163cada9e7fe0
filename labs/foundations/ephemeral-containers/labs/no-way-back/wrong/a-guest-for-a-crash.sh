# fails: instruments
# after: a-copy-that-stays.sh
kubectl patch configmap instruments -p '{"data": {"crash": "guest", "restarted": "yes"}}'
