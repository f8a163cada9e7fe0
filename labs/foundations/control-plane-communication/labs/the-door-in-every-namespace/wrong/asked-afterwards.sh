# fails: identity
# after: a-role-of-its-own.sh
kubectl patch configmap badge -n {{space}} -p '{"data": {"may-list": "yes"}}'
