# fails: declared
sed -i -e 's/app: website/app: web/' -e 's/nginx:1.72/nginx:1.27/' web.yaml
kubectl apply -f web.yaml
kubectl scale deployment/web --replicas=3
kubectl rollout status deployment/web --timeout=120s
