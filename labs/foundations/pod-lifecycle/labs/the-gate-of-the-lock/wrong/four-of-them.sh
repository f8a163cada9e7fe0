# fails: gated waits
# after: all-at-once.sh
kubectl scale deployment {{lock}} --replicas=4
sleep 30
