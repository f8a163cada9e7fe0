# fails: may-not-delete
# after: the-role-that-is-there.sh
kubectl create rolebinding edits -n {{space}} --clusterrole=edit --serviceaccount={{space}}:{{account}}
