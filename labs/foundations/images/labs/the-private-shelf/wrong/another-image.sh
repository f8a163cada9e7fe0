# fails: untouched
kubectl create secret docker-registry shelf -n {{library}} --docker-server=registry.example.com --docker-username=janedoe --docker-password=letmein
kubectl set image deployment/reader -n {{library}} app=nginx:1.27
kubectl rollout status deployment/reader -n {{library}} --timeout=120s
