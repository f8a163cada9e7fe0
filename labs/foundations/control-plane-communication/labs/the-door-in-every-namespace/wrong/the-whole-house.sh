# fails: only-here
# after: the-role-that-is-there.sh
kubectl create clusterrolebinding sees --clusterrole=view --serviceaccount={{space}}:{{account}}
