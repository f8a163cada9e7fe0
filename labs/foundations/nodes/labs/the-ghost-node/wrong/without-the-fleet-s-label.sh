# fails: sails
kubectl create configmap forecast --from-literal=ready=Unknown --from-literal=phase=Pending --from-literal=scheduler=no --from-literal=ten-minutes=Terminating
kubectl apply -f ship.yaml
sleep 30
kubectl delete node {{ship}}
kubectl run crew --image=nginx:1.27
kubectl wait --for=condition=Ready pod/crew --timeout=60s
