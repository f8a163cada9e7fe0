# fails: in-force grid-yields sick-yields
kubectl drain worker-1 --ignore-daemonsets --disable-eviction --timeout=60s
kubectl rollout status deployment/{{grid}} --timeout=120s
sleep 10
