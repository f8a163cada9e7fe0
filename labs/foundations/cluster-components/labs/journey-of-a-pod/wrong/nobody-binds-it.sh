# fails: runs
# after: a-node-by-name.sh
kubectl delete pod direct --now
kubectl run direct --image=nginx:1.27 --overrides='{"spec": {"schedulerName": "the-astronomer"}}'
sleep 5
