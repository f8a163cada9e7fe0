# fails: gated waits confirmed withdrawn
kubectl patch deployment {{lock}} -p '{"spec": {"template": {"spec": {"containers": [{"name": "web", "readinessProbe": {"httpGet": {"port": 80, "path": "/"}}}]}}}}'
kubectl scale deployment {{lock}} --replicas=2
kubectl rollout status deployment/{{lock}} --timeout=120s
for pod in $(kubectl get pods -l app={{lock}} -o name | head -n 2); do
  kubectl patch $pod --subresource=status -p '{"status": {"conditions": [{"type": "canal.example/other", "status": "True"}]}}'
done
sleep 10
