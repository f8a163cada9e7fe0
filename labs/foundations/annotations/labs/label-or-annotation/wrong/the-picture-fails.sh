# fails: running selectable
# after: by-command.sh
kubectl scale deployment lantern --replicas=0
kubectl set image deployment/lantern nginx=nginx:1.72
kubectl scale deployment lantern --replicas=1
sleep 20
