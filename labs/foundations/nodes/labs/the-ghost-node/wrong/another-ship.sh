# fails: seen
kubectl create configmap forecast --from-literal=ready=Unknown --from-literal=phase=Pending --from-literal=scheduler=no --from-literal=ten-minutes=Terminating
sed -i 's/name: {{ship}}/name: dinghy/' ship.yaml
kubectl apply -f ship.yaml
sed -i '/nodeName/d' crew.yaml
kubectl apply -f crew.yaml
kubectl wait --for=condition=Ready pod/crew --timeout=60s
sleep 60
