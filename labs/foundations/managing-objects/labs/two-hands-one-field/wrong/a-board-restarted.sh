# fails: never-fewer
kubectl scale deployment {{board}} --replicas={{spare}}
kubectl rollout status deployment/{{board}} --timeout=120s
kubectl scale deployment {{board}} --replicas={{copies}}
sleep 5
kubectl delete pod $(kubectl get pods -l app={{board}} -o jsonpath='{.items[0].metadata.name}')
kubectl rollout status deployment/{{board}} --timeout=120s
