# fails: only-this
# after: ready-made-roles.sh
kubectl create clusterrole pages --verb=get --resource=services/proxy
kubectl create clusterrolebinding pages --clusterrole=pages --user=porter
