# fails: four-serve
# after: take-the-label-away.sh
kubectl scale replicaset quotes --replicas=3
sleep 10
