# fails: sorter fenced
# after: by-commands.sh
kubectl scale deployment sorter {{belt.eater}} --replicas=2
sleep 30
