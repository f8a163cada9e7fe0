# fails: follows same-pods
kubectl delete service pager
kubectl create service clusterip pager --tcp=80:80
kubectl set selector service pager app=rescued
kubectl label pods -l app=pager app=rescued --overwrite
sleep 15
