# fails: sorter fenced
# after: by-commands.sh
kubectl set resources deployment sorter --limits=memory={{need.limit}}
kubectl set resources deployment {{belt.eater}} --limits=memory=64Mi
sleep 60
