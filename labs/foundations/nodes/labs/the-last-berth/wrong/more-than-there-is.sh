# fails: full
# after: one-big-pod.sh
kubectl run late --image=nginx:1.27 --labels=app={{cargo}} --overrides='{"spec": {"nodeSelector": {"kubernetes.io/hostname": "worker-1"}, "containers": [{"name": "late", "image": "nginx:1.27", "resources": {"requests": {"cpu": "100m"}}}]}}'
sleep 20
