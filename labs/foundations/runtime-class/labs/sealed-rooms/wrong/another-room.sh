# fails: sealed
# after: rooms-with-a-label.sh
kubectl label node {{rooms.one}} {{rooms.two}} rooms-
kubectl label node control-plane rooms=sealed
kubectl taint node control-plane node-role.kubernetes.io/control-plane-
kubectl rollout restart deployment/candidate
kubectl rollout status deployment/candidate --timeout=120s
