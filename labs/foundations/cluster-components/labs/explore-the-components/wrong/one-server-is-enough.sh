# fails: dns-healed
# after: note-and-heal.sh
kubectl scale deployment/coredns -n kube-system --replicas=1
sleep 40
