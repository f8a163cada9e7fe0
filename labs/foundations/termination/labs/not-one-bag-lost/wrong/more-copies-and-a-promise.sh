# fails: rollouts lingers
kubectl patch deployment bags -p '{"spec": {"replicas": 4, "strategy": {"rollingUpdate": {"maxUnavailable": 0}}}}'
kubectl rollout status deployment/bags --timeout=180s
sleep 8
