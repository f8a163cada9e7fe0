# fails: sails
kubectl create configmap forecast --from-literal=ready=Unknown --from-literal=phase=Pending --from-literal=scheduler=no --from-literal=ten-minutes=Terminating
kubectl apply -f ship.yaml
sleep 30
kubectl delete node {{ship}}
kubectl run crew --image=nginx:1.27 --labels=fleet=north --overrides='{"spec": {"nodeSelector": {"fleet": "north"}}}'
