# fails: serves
# after: all-at-once.sh
kubectl set selector service {{lock}} app=nobody
sleep 5
