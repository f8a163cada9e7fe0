# fails: stays
pod=$(kubectl get pod -l app={{vault}} -o jsonpath='{.items[0].metadata.name}')
uid=$(kubectl get pod $pod -o jsonpath='{.metadata.uid}')
sed -i "s/uid: .*/uid: $uid/; s/kind: Deployment/kind: Pod/; s/apps\/v1/v1/; s/name: {{vault}}/name: $pod/" backup.yaml
kubectl apply -f backup.yaml
