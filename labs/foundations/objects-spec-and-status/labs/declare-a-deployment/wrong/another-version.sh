# fails: image
# after: apply-the-file.sh
sed -i -e 's/nginx:1.27/nginx:1.28/' web.yaml
kubectl apply -f web.yaml
kubectl rollout status deployment/web --timeout=120s
