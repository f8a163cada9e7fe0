# fails: door identity may-list
ip=$(kubectl get service kubernetes -o jsonpath="{.spec.clusterIP}")
behind=$(kubectl get endpointslices -l kubernetes.io/service-name=kubernetes -o jsonpath="{.items[0].endpoints[0].addresses[0]}:{.items[0].ports[0].port}")
kubectl create configmap door -n {{space}} --from-literal=name=kubernetes.default --from-literal=address=$ip --from-literal=behind=$ip:443
kubectl create configmap badge -n {{space}} --from-literal=identity=kubernetes-admin --from-literal=may-list=no
