# fails: baked
# after: wait-in-the-command.sh
kubectl patch configmap dough -p '{"data": {"rise": "86400"}}'
kubectl delete pod -l app={{oven}}
sleep 30
