# fails: sealed
# after: into-the-right-class.sh
kubectl label node {{room}} rooms-
kubectl label node control-plane rooms=sealed
kubectl taint node control-plane node-role.kubernetes.io/control-plane-
kubectl delete pods -l office=filing --now
sleep 20
