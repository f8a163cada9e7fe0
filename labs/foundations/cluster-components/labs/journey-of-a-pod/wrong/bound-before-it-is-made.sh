# fails: order
# after: a-node-by-name.sh
kubectl patch configmap journey -p '{"data": {"order": "ScalingReplicaSet Scheduled SuccessfulCreate Pulled Created Started"}}'
