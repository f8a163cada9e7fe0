# fails: full
# after: one-big-pod.sh
kubectl delete pod hold --grace-period=1
sed -i 's/cpu: {{load.left}}/cpu: 100m/' cargo.yaml
kubectl apply -f cargo.yaml
kubectl run late --image=nginx:1.27 --labels=app={{cargo}} --overrides='{"spec": {"nodeSelector": {"kubernetes.io/hostname": "worker-1"}, "containers": [{"name": "late", "image": "nginx:1.27", "resources": {"requests": {"cpu": "4"}}}]}}'
sleep 20
