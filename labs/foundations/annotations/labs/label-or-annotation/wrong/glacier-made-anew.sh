# fails: glacier-ran
# after: by-command.sh
kubectl get deployment glacier -o yaml > glacier.yaml
kubectl replace --force -f glacier.yaml
kubectl rollout status deployment/glacier --timeout=60s
