# fails: writers order
# after: a-node-by-name.sh
kubectl patch configmap journey -p '{"data": {"replicaset": "kubectl", "pods": "kubectl", "node": "kubelet", "address": "kube-proxy", "slice": "kube-proxy", "order": "Scheduled ScalingReplicaSet SuccessfulCreate Pulled Created Started"}}'
