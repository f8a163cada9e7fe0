# fails: calm however-long
kubectl rollout restart deployment/mill
kubectl rollout status deployment/mill --timeout=120s
sleep 20
