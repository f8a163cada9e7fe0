# fails: report listed loaded not-weakened
kubectl create configmap report --from-literal=registers=scheduler --from-literal=while-running=yes --from-literal=label-returns=yes --from-literal=flag=--register-node --from-literal=capacity=kubelet
kubectl patch deployment {{goods}} --type=json -p '[{"op": "remove", "path": "/spec/template/spec/nodeSelector"}]'
kubectl rollout status deployment/{{goods}} --timeout=120s
