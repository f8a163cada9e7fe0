# fails: gate crane yard
kubectl delete deployment gate crane yard
kubectl create deployment gate --image=nginx:1.27 -- false
kubectl create deployment crane --image=redis:7 -- false
kubectl create deployment yard --image=httpd:2.4 -- false
sleep 40
