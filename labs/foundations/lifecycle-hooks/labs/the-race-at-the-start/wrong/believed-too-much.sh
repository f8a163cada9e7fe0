# fails: forecast farewell serves
kubectl create configmap race --from-literal=order=yes --from-literal=failing=yes --from-literal=ended=yes --from-literal=term={{hook}} --from-literal=kill=60
sed -i 's/1.27-alpine/none/' runner.yaml
kubectl replace --force -f runner.yaml
sleep 5
