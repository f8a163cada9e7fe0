kubectl apply -f tonight.yaml
kubectl rollout status deployment/{{dome}} --timeout=120s
kubectl create configmap journey --from-literal=replicaset=kube-controller-manager --from-literal=pods=kube-controller-manager --from-literal=node=kube-scheduler --from-literal=address=kubelet --from-literal=slice=kube-controller-manager --from-literal=container=kubelet --from-literal=daemon=kube-scheduler --from-literal=order="ScalingReplicaSet SuccessfulCreate Scheduled Pulled Created Started"
kubectl run direct --image=nginx:1.27 --overrides='{"spec": {"nodeName": "worker-1"}}'
kubectl wait --for=condition=Ready pod/direct --timeout=120s
