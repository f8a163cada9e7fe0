# fails: new-pen
# after: wait-for-the-end.sh
kubectl delete pod scribe
