# fails: image three-ready heals
sed -i -e 's/app: website/app: web/' -e 's/replicas: 1/replicas: 3/' web.yaml
kubectl apply -f web.yaml
sleep 20
