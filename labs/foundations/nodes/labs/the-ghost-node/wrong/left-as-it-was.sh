# fails: forecast sails gone
kubectl create configmap forecast --from-literal=ready=False --from-literal=phase=Failed --from-literal=scheduler=yes --from-literal=ten-minutes=Unknown
kubectl apply -f ship.yaml -f crew.yaml
sleep 60
