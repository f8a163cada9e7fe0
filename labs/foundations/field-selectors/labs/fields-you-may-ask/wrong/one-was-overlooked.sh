# fails: cleared
kubectl create configmap board --from-literal=running={{running}} --from-literal=crashing=0 --from-literal=done={{flown}} --from-literal=image=refused --from-literal=chained=1 --from-literal=deployments=refused --from-literal=kinds=1 --from-literal=types=1
kubectl delete pod diverted-1
