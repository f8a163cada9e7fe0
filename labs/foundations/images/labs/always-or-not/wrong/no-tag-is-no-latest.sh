# fails: stored
# after: patched.sh
kubectl patch configmap policies -p '{"data": {"nothing": "IfNotPresent", "changed": "Always"}}'
