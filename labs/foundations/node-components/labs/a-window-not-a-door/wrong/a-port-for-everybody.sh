# fails: opens no-way-in
kubectl create clusterrolebinding window --clusterrole=view --serviceaccount={{office}}:window
kubectl create rolebinding porter -n {{office}} --clusterrole=view --user=porter
kubectl patch service dashboard -n {{office}} -p '{"spec": {"type": "NodePort"}}'
