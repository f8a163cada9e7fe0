# fails: not-weakened
# after: the-machine-starts-again.sh
kubectl patch deployment {{goods}} --type=json -p '[{"op": "replace", "path": "/spec/template/spec/nodeSelector", "value": {"kubernetes.io/hostname": "{{machine}}"}}]'
kubectl rollout status deployment/{{goods}} --timeout=120s
sleep 5
