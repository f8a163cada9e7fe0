# fails: seconds
# after: exec-in-the-shell.sh
kubectl patch configmap seconds -p '{"data": {"shell": "0"}}'
