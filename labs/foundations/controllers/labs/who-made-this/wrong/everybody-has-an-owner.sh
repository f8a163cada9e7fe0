# fails: makers
# after: delete-the-owner.sh
kubectl patch configmap makers -p '{"data": {"taster": "ReplicaSet"}}'
