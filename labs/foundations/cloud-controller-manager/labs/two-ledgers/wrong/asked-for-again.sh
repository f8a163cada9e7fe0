# fails: one-balancer
# after: by-commands.sh
kubectl patch service {{gone}} -p '{"spec": {"type": "LoadBalancer"}}'
sleep 20
