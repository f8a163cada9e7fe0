# fails: fetched
kubectl create secret docker-registry shelf -n {{library}} --docker-server=registry.example.com --docker-username=janedoe --docker-password=letmein
sleep 30
