kubectl create configmap ledger --from-literal=machine={{machine.id}} --from-literal=zones=node --from-literal=balancers=service --from-literal=routes=route --from-literal=writer=cloud-controller-manager --from-literal=outside=service
kubectl expose deployment {{stall}} --port=80 --type=LoadBalancer
kubectl patch service {{gone}} -p '{"spec": {"type": "ClusterIP"}}'
sleep 20
