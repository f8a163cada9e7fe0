# fails: three-ready declared heals
sed -i -e 's/app: website/app: web/' -e 's/nginx:1.72/nginx:1.27/' -e 's/replicas: 1/replicas: 2/' web.yaml
kubectl apply -f web.yaml
kubectl rollout status deployment/web --timeout=120s
