# fails: report
# after: the-machine-is-given-up.sh
kubectl patch configmap report -p '{"data": {"noticed": "10"}}'
