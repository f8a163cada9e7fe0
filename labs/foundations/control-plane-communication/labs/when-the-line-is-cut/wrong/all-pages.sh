# fails: nothing-more
# after: killed-while-cut.sh
kubectl create role all --verb=get --resource=services/proxy
kubectl create rolebinding all --role=all --serviceaccount=default:shore
