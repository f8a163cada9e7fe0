# fails: finding
# after: a-guest-with-a-shell.sh
kubectl patch configmap finding -p '{"data": {"says": "hello"}}'
