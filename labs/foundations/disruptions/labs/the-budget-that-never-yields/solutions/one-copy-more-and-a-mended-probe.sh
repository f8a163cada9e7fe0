kubectl scale deployment {{grid}} --replicas=4
kubectl patch deployment {{sick}} --type=json -p '[{"op": "replace", "path": "/spec/template/spec/containers/0/readinessProbe/httpGet/port", "value": 80}]'
kubectl rollout status deployment/{{sick}} --timeout=120s
kubectl rollout status deployment/{{grid}} --timeout=120s
sleep 3
kubectl drain worker-1 --ignore-daemonsets --timeout=120s
kubectl rollout status deployment/{{grid}} --timeout=120s
sleep 10
