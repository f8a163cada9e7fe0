# fails: ledger address
kubectl create configmap ledger --from-literal=machine={{machine.name}} --from-literal=zones=node --from-literal=balancers=service --from-literal=routes=route --from-literal=writer=kubelet --from-literal=outside=node
kubectl expose deployment {{stall}} --port=80 --type=NodePort
kubectl patch service {{gone}} -p '{"spec": {"type": "ClusterIP"}}'
sleep 20
