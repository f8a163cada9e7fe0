# fails: inside one-balancer
# after: by-commands.sh
kubectl delete service {{gone}}
sleep 10
