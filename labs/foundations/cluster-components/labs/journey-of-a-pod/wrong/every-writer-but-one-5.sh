# fails: writers
# after: a-node-by-name.sh
kubectl patch configmap journey -p '{"data": {"slice": "kube-proxy"}}'
