# fails: sealed
# after: into-the-right-class.sh
kubectl delete deployment {{case.slip}}
sleep 5
