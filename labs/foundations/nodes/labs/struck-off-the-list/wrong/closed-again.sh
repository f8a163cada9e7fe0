# fails: listed
# after: the-machine-starts-again.sh
kubectl cordon {{machine}}
