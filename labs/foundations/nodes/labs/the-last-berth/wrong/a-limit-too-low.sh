# fails: forecast full
kubectl create configmap forecast --from-literal=allocatable=4 --from-literal=left=4000m --from-literal=fit=6 --from-literal=idle=yes --from-literal=address=10.244.1.1
kubectl run hold --image=nginx:1.27 --labels=app={{cargo}} --overrides='{"spec": {"nodeSelector": {"kubernetes.io/hostname": "worker-1"}, "containers": [{"name": "hold", "image": "nginx:1.27", "resources": {"requests": {"cpu": "1"}}}]}}'
kubectl wait --for=condition=Ready pod/hold --timeout=60s
