# fails: gone
# after: scale-to-nothing.sh
kubectl scale {{owner.churn}} churn --replicas=1
sleep 5
