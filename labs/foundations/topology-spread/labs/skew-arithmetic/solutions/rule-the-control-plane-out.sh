kubectl create configmap forecast --from-literal=running=2 --from-literal=waiting={{waiting}} --from-literal=running-with-2=4 --from-literal=fourth-zone=2
kubectl patch deployment {{hub}} -p '{"spec": {"template": {"spec": {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": [{"key": "node-role.kubernetes.io/control-plane", "operator": "DoesNotExist"}]}]}}}}}}}'
kubectl rollout status deployment/{{hub}} --timeout=60s
sleep 3
