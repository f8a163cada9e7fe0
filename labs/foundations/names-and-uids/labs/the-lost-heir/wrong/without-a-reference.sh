# fails: goes-with-owner
sed -i '/ownerReferences/,/uid/d' backup.yaml
kubectl apply -f backup.yaml
