# fails: full
kubectl create configmap forecast --from-literal=allocatable=4 --from-literal=left={{load.left}} --from-literal=fit={{load.fit}} --from-literal=idle=no --from-literal=address=$(kubectl get node worker-1 -o jsonpath="{.status.addresses[0].address}")
kubectl run hold --image=nginx:1.27 --labels=app={{cargo}} --overrides='{"spec": {"nodeSelector": {"kubernetes.io/hostname": "worker-2"}, "containers": [{"name": "hold", "image": "nginx:1.27", "resources": {"requests": {"cpu": "{{load.left}}"}}}]}}'
kubectl wait --for=condition=Ready pod/hold --timeout=60s
