# fails: may-list
# after: a-role-of-its-own.sh
kubectl delete rolebinding see-pods -n {{space}}
