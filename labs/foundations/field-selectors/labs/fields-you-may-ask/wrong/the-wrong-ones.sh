# fails: board cleared
kubectl create configmap board --from-literal=running={{running}} --from-literal=crashing=0 --from-literal=done={{flown}} --from-literal=image=0 --from-literal=chained=1 --from-literal=deployments=0 --from-literal=kinds=refused --from-literal=types=1
kubectl delete pod gate-9 --now
