# fails: gate crane
kubectl patch deployment yard --type=json -p '[{"op": "replace", "path": "/spec/template/spec/containers/0/imagePullPolicy", "value": "Always"}]'
kubectl rollout status deployment/yard --timeout=120s
