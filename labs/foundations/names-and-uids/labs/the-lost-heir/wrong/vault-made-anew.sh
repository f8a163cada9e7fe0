# fails: vault-ran
kubectl delete deployment {{vault}}
kubectl wait --for=delete pod -l app={{vault}} --timeout=60s
kubectl create deployment {{vault}} --image=nginx:1.27
kubectl rollout status deployment/{{vault}} --timeout=60s
uid=$(kubectl get deployment {{vault}} -o jsonpath='{.metadata.uid}')
sed -i "s/uid: .*/uid: $uid/" backup.yaml
kubectl apply -f backup.yaml
