# fails: initialised
kubectl create configmap forecast --from-literal=cluster-ip=yes --from-literal=node-port=yes --from-literal=external-ip=no --from-literal=worker-2=no
kubectl patch node worker-2 -p '{"spec": {"providerID": "yard://{{machine}}"}}'
kubectl patch deployment {{market}} -p '{"spec": {"template": {"spec": {"tolerations": [{"operator": "Exists"}]}}}}'
kubectl rollout status deployment/{{market}} --timeout=60s
kubectl create configmap door --from-literal=url=http://$(kubectl get node worker-1 -o jsonpath='{.status.addresses[0].address}'):$(kubectl get service {{market}} -o jsonpath='{.spec.ports[0].nodePort}')/
