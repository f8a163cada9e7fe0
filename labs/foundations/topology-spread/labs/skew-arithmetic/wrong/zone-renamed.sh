# fails: nodes
kubectl create configmap forecast --from-literal=running=2 --from-literal=waiting={{waiting}} --from-literal=running-with-2=4 --from-literal=fourth-zone=2
kubectl label node control-plane topology.kubernetes.io/zone=region-1b --overwrite
kubectl rollout status deployment/{{hub}} --timeout=60s
sleep 3
