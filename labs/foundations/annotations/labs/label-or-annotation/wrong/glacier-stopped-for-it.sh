# fails: glacier-ran
# after: by-command.sh
kubectl delete pod -l film=glacier
kubectl rollout status deployment/glacier --timeout=60s
