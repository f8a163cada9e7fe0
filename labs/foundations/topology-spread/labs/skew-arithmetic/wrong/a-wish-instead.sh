# fails: rule
kubectl create configmap forecast --from-literal=running=2 --from-literal=waiting={{waiting}} --from-literal=running-with-2=4 --from-literal=fourth-zone=2
kubectl patch deployment {{hub}} --type=json -p '[{"op": "replace", "path": "/spec/template/spec/topologySpreadConstraints/0/whenUnsatisfiable", "value": "ScheduleAnyway"}]'
kubectl rollout status deployment/{{hub}} --timeout=60s
sleep 3
