# fails: sooner
# after: the-machine-is-given-up.sh
kubectl scale deployment board --replicas=3
sleep 5
