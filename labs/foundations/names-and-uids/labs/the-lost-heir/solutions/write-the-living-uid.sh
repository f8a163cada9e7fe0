uid=$(kubectl get deployment {{vault}} -o jsonpath='{.metadata.uid}')
sed -i "s/uid: .*/uid: $uid/" backup.yaml
kubectl apply -f backup.yaml
