# fails: waits
# after: all-at-once.sh
kubectl delete deployment {{lock}} --cascade=orphan
kubectl delete replicaset -l app={{lock}} --cascade=orphan
