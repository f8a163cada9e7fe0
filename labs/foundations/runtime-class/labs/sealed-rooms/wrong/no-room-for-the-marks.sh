# fails: others
# after: rooms-with-a-label.sh
kubectl scale deployment marks --replicas=1
kubectl set image deployment/marks web=nginx:none
sleep 5
