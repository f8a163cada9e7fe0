# fails: no-hands
# after: ready-made-roles.sh
kubectl create clusterrole hand --verb=delete --resource=pods
kubectl create clusterrolebinding hand --clusterrole=hand --serviceaccount={{office}}:window
