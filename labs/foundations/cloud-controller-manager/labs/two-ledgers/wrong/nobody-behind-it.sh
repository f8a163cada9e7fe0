# fails: answers
# after: by-commands.sh
kubectl set selector service {{stall}} app=nobody
sleep 10
