kubectl create configmap forecast --from-literal=cluster-ip=yes --from-literal=node-port=yes --from-literal=external-ip=no --from-literal=worker-2=no
kubectl patch node worker-2 -p '{"spec": {"providerID": "yard://{{machine}}"}}'
kubectl taint node worker-2 node.cloudprovider.kubernetes.io/uninitialized-
address=$(kubectl get node worker-1 -o jsonpath='{.status.addresses[0].address}')
port=$(kubectl get service {{market}} -o jsonpath='{.spec.ports[0].nodePort}')
kubectl exec buyer -- wget -q -O /dev/null -T 3 http://$address:$port/
kubectl create configmap door --from-literal=url=http://$address:$port/
