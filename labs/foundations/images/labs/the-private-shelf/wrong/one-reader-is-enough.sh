# fails: fetched
# after: in-the-template.sh
kubectl scale deployment reader -n {{library}} --replicas=1
sleep 3
