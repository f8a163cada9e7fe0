# fails: stays
uid=$(kubectl get deployment {{vault}} -o jsonpath='{.metadata.uid}')
sed -i "s/uid: .*/uid: $uid/; s/lots: .*/lots: unknown/" backup.yaml
kubectl apply -f backup.yaml
