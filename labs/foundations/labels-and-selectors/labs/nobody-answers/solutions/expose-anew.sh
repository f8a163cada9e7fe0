kubectl delete service pager
kubectl expose deployment pager --port=80
sleep 10
