# fails: sorted apart again never-two
kubectl create configmap losses --from-literal=drain=voluntary --from-literal=rollout=voluntary --from-literal=delete=involuntary --from-literal=fire=involuntary --from-literal=pressure=involuntary --from-literal=network=involuntary --from-literal=asks=drain
kubectl scale deployment {{plan}} --replicas=5
kubectl set resources deployment {{plan}} --requests=cpu=50m,memory=32Mi
kubectl rollout status deployment/{{plan}} --timeout=60s
