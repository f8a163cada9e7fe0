# fails: forecast initialised way-in honest
kubectl create configmap forecast --from-literal=cluster-ip=yes --from-literal=node-port=yes --from-literal=external-ip=yes --from-literal=worker-2=yes
kubectl taint node worker-2 node.cloudprovider.kubernetes.io/uninitialized-
kubectl patch service {{market}} --subresource=status --type=merge -p '{"status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.7"}]}}}'
kubectl create configmap door --from-literal=url=http://203.0.113.7/
