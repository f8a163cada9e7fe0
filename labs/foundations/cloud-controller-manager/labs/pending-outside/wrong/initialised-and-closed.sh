# fails: initialised lands way-in
kubectl create configmap forecast --from-literal=cluster-ip=yes --from-literal=node-port=yes --from-literal=external-ip=no --from-literal=worker-2=no
kubectl patch node worker-2 -p '{"spec": {"providerID": "yard://{{machine}}"}}'
kubectl create configmap door --from-literal=url=http://$(kubectl get service {{market}} -o jsonpath='{.spec.clusterIP}')/
