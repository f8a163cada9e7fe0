# fails: sealed
# after: rooms-with-a-label.sh
kubectl scale deployment candidate --replicas=1
sleep 5
