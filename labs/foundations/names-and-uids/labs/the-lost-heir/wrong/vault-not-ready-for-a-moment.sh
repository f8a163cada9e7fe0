# fails: vault-ran
kubectl delete pod -l app={{vault}} --wait=false
kubectl rollout status deployment/{{vault}} --timeout=60s
uid=$(kubectl get deployment {{vault}} -o jsonpath='{.metadata.uid}')
sed -i "s/uid: .*/uid: $uid/" backup.yaml
kubectl apply -f backup.yaml
