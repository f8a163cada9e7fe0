# fails: etcd-node
# after: note-and-heal.sh
kubectl patch configmap components -n survey -p '{"data": {"etcd-node": "worker-1"}}'
