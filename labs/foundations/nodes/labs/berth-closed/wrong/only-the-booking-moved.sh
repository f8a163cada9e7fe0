# fails: empty tide-table
kubectl cordon {{berth}}
kubectl rollout restart deployment/{{booking}}
kubectl rollout status deployment/{{booking}} --timeout=180s
sleep 5
kubectl label node {{berth}} yard=inspected
kubectl uncordon {{berth}}
kubectl set env deployment/{{booking}} VOYAGE=next
kubectl rollout status deployment/{{booking}} --timeout=180s
sleep 5
