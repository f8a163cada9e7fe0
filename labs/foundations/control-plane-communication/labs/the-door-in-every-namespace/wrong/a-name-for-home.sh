# fails: door
# after: a-role-of-its-own.sh
kubectl patch configmap door -n {{space}} -p '{"data": {"name": "kubernetes"}}'
