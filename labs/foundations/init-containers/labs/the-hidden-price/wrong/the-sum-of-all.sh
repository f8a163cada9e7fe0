# fails: forecast
# after: the-step-goes-first.sh
kubectl patch configmap price -p '{"data": {"step-first": "2500m", "qos": "Guaranteed"}}'
