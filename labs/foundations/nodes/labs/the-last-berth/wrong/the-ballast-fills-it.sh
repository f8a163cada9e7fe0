# fails: full ballast-stays
# after: one-big-pod.sh
kubectl delete pod hold --grace-period=1
kubectl delete deployment ballast
kubectl run big --image=nginx:1.27 --labels=app=ballast --overrides='{"spec": {"nodeSelector": {"kubernetes.io/hostname": "worker-1"}, "containers": [{"name": "big", "image": "nginx:1.27", "resources": {"requests": {"cpu": "4"}}}]}}'
kubectl wait --for=condition=Ready pod/big --timeout=60s
