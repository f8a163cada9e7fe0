# fails: measured
# after: by-commands.sh
kubectl scale deployment metrics-server -n kube-system --replicas=0
sleep 60
