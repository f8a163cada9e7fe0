kubectl create clusterrolebinding window --clusterrole=view --serviceaccount={{office}}:window
kubectl create role page -n {{office}} --verb=get --resource=services/proxy --resource-name=dashboard
kubectl create rolebinding page -n {{office}} --role=page --user=porter
kubectl get --raw /api/v1/namespaces/{{office}}/services/dashboard/proxy/ --as=porter
