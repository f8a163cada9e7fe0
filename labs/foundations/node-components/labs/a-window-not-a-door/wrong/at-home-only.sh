# fails: sees sees-team
kubectl create rolebinding window -n {{office}} --clusterrole=view --serviceaccount={{office}}:window
kubectl create role page -n {{office}} --verb=get --resource=services/proxy --resource-name=dashboard
kubectl create rolebinding page -n {{office}} --role=page --user=porter
