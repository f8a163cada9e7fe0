# fails: remains
# after: a-guest-with-a-shell.sh
kubectl patch configmap finding -p '{"data": {"removable": "yes"}}'
