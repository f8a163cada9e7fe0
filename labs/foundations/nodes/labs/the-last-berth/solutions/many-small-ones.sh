kubectl create deployment {{cargo}} --image=nginx:1.27 --replicas=0
kubectl patch deployment {{cargo}} -p '{"spec": {"template": {"spec": {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": ["worker-1"]}]}]}}}, "containers": [{"name": "nginx", "resources": {"requests": {"cpu": "100m"}}}]}}}}'
left={{load.left}}
kubectl scale deployment {{cargo}} --replicas=$(( ${left%m} / 100 ))
kubectl rollout status deployment/{{cargo}} --timeout=120s
kubectl create configmap forecast --from-literal=allocatable=4 --from-literal=left={{load.left}} --from-literal=fit={{load.fit}} --from-literal=idle=no --from-literal=address=$(kubectl get node worker-1 -o jsonpath="{.status.addresses[0].address}")
