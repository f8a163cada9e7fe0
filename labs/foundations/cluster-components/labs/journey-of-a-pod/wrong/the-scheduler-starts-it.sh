# fails: writers
# after: a-node-by-name.sh
kubectl patch configmap journey -p '{"data": {"container": "kube-scheduler"}}'
