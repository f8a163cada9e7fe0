kubectl create configmap forecast --from-literal=ready=Unknown --from-literal=phase=Pending --from-literal=scheduler=no --from-literal=ten-minutes=Terminating
kubectl apply -f ship.yaml -f crew.yaml
sleep 600
kubectl delete node {{ship}}
kubectl wait --for=delete pod/crew --timeout=300s
sed -i '/nodeName/d' crew.yaml
kubectl apply -f crew.yaml
kubectl wait --for=condition=Ready pod/crew --timeout=60s
