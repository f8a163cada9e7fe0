kubectl set image deployment/gate gate=nginx:1.27
kubectl set image deployment/crane crane=redis:7
kubectl patch deployment yard --type=json -p '[{"op": "remove", "path": "/spec/template/spec/containers/0/imagePullPolicy"}]'
for name in gate crane yard; do kubectl rollout status deployment/$name --timeout=120s; done
