# fails: in-force
kubectl delete poddisruptionbudget {{grid}} {{sick}}
kubectl scale deployment {{grid}} --replicas=5
kubectl rollout status deployment/{{grid}} --timeout=120s
kubectl drain worker-1 --ignore-daemonsets --timeout=120s
kubectl create poddisruptionbudget {{grid}} --selector=app={{grid}} --max-unavailable=1
kubectl create poddisruptionbudget {{sick}} --selector=app={{sick}} --min-available=2
kubectl patch poddisruptionbudget {{sick}} --type=merge -p '{"spec": {"unhealthyPodEvictionPolicy": "AlwaysAllow"}}'
kubectl rollout status deployment/{{grid}} --timeout=120s
sleep 10
