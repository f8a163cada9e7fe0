# fails: gate crane yard
kubectl delete pods --all
sleep 40
