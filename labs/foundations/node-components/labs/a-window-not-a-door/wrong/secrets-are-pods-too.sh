# fails: no-secrets
# after: roles-of-its-own.sh
kubectl create clusterrole everything --verb=get,list,watch --resource='*.*' --resource=secrets
kubectl create clusterrolebinding everything --clusterrole=everything --serviceaccount={{office}}:window
