# fails: accepted
sed -i -e 's/app: website/app: web/' -e 's/nginx:1.72/nginx:1.27/' -e 's/replicas: 1/replicas: 3/' web.yaml
sed -i -e 's/^      app: web$/      site: web/' -e 's/^        app: web$/&\n        site: web/' web.yaml
kubectl apply -f web.yaml
kubectl rollout status deployment/web --timeout=120s
