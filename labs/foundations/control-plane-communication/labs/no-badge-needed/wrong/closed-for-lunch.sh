# fails: served
# after: decide-at-the-accounts.sh
kubectl scale deployment menu-north -n {{school}} --replicas=0
sleep 5
kubectl scale deployment menu-north -n {{school}} --replicas=1
kubectl rollout status deployment/menu-north -n {{school}} --timeout=120s
sleep 5
