# fails: inside
# after: by-commands.sh
kubectl set selector service {{gone}} app=nobody
sleep 5
