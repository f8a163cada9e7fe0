# fails: stays
kubectl apply -f backup.yaml
