kubectl create configmap forecast --from-literal=running=2 --from-literal=waiting={{waiting}} --from-literal=running-with-2=4 --from-literal=fourth-zone=2
kubectl patch deployment {{hub}} --type=json -p '[{"op": "add", "path": "/spec/template/spec/topologySpreadConstraints/0/nodeTaintsPolicy", "value": "Honor"}]'
kubectl rollout status deployment/{{hub}} --timeout=60s
sleep 3
