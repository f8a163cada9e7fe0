# fails: nodes
kubectl create configmap forecast --from-literal=running=2 --from-literal=waiting={{waiting}} --from-literal=running-with-2=4 --from-literal=fourth-zone=2
kubectl taint node control-plane node-role.kubernetes.io/control-plane-
kubectl rollout status deployment/{{hub}} --timeout=60s
sleep 3
