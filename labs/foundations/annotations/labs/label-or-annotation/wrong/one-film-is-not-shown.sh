# fails: running
# after: by-command.sh
kubectl scale deployment orchard --replicas=0
sleep 5
