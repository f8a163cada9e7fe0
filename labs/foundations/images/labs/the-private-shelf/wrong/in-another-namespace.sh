# fails: fetched kept
kubectl create secret docker-registry shelf --docker-server=registry.example.com --docker-username=janedoe --docker-password=letmein
kubectl patch deployment reader -n {{library}} -p '{"spec": {"template": {"spec": {"imagePullSecrets": [{"name": "shelf"}]}}}}'
sleep 30
