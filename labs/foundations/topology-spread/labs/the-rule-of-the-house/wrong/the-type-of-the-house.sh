# fails: report
# after: a-rule-of-its-own.sh
kubectl patch configmap report -p '{"data": {"type": "System"}}'
