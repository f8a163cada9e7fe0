# fails: address
# after: by-commands.sh
kubectl delete service {{stall}}
kubectl expose deployment {{stall}} --port=80 --type=LoadBalancer --overrides='{"spec": {"loadBalancerClass": "other.example/balancer"}}'
sleep 20
