# fails: kept
# after: in-the-template.sh
kubectl delete secret shelf -n {{library}}
