kubectl scale deployment metrics-server -n kube-system --replicas=1
kubectl set selector service metrics-server -n kube-system k8s-app=metrics-server
kubectl patch apiservice v1beta1.metrics.k8s.io -p '{"spec": {"service": {"name": "metrics-server"}}}'
kubectl create configmap note --from-literal=eater={{belt.eater}} --from-literal=who=sorter --from-literal=reason=OOMKilled --from-literal=code=137
kubectl set resources deployment sorter --limits=memory=96Mi
kubectl set resources deployment {{belt.eater}} --limits=memory=256Mi
sleep 90
kubectl top pods
