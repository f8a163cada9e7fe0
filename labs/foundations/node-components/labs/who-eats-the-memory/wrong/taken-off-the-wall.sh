# fails: measured note fenced
kubectl delete apiservice v1beta1.metrics.k8s.io
kubectl create configmap note --from-literal=eater={{belt.other}} --from-literal=who={{belt.eater}} --from-literal=reason=Error --from-literal=code=1
kubectl set resources deployment sorter --limits=memory=96Mi
sleep 60
