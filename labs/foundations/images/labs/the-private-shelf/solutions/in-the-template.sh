kubectl create secret docker-registry shelf -n {{library}} --docker-server=registry.example.com --docker-username=janedoe --docker-password=letmein
kubectl patch deployment reader -n {{library}} -p '{"spec": {"template": {"spec": {"imagePullSecrets": [{"name": "shelf"}]}}}}'
kubectl rollout status deployment/reader -n {{library}} --timeout=120s
