kubectl delete deployment gate crane yard
kubectl create deployment gate --image=docker.io/library/nginx:1.27
kubectl create deployment crane --image=redis:7
kubectl create deployment yard --image=httpd:2.4
for name in gate crane yard; do kubectl rollout status deployment/$name --timeout=120s; done
