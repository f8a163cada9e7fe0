# fails: report
# after: the-machine-starts-again.sh
kubectl patch configmap report -p '{"data": {"label-returns": "yes"}}'
