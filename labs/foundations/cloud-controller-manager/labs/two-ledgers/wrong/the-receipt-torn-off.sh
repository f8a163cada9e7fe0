# fails: given-back
kubectl create configmap ledger --from-literal=machine={{machine.id}} --from-literal=zones=node --from-literal=balancers=service --from-literal=routes=route --from-literal=writer=cloud-controller-manager --from-literal=outside=service
kubectl expose deployment {{stall}} --port=80 --type=LoadBalancer
kubectl patch service {{gone}} --type=merge -p '{"metadata": {"finalizers": null}}'
kubectl delete service {{gone}}
kubectl create service clusterip {{gone}} --tcp=80:80
kubectl set selector service {{gone}} app={{stall}}
sleep 20
