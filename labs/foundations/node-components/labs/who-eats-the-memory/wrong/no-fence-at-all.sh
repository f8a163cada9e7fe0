# fails: sorter-bounded
# after: by-commands.sh
kubectl set resources deployment sorter --limits=memory=1Gi
sleep 60
