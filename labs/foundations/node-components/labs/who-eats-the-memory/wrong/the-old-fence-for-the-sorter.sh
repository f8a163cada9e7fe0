# fails: sorter
# after: by-commands.sh
kubectl set resources deployment sorter --limits=memory={{need.limit}}
sleep 60
