# fails: given-back inside one-balancer
kubectl create configmap ledger --from-literal=machine={{machine.id}} --from-literal=zones=node --from-literal=balancers=service --from-literal=routes=route --from-literal=writer=cloud-controller-manager --from-literal=outside=service
kubectl expose deployment {{stall}} --name=spare --port=80 --type=LoadBalancer
kubectl expose deployment {{stall}} --port=80 --type=LoadBalancer
sleep 20
kubectl delete service spare
sleep 10
kubectl set selector service {{gone}} app=nobody
sleep 5
