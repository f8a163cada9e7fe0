# fails: tide-table
kubectl cordon {{berth}}
kubectl get pod tide-table -o yaml > tide-table.yaml
sed -i 's/nodeName: .*/nodeSelector: {quay: none}/' tide-table.yaml
kubectl replace --force -f tide-table.yaml
kubectl rollout restart deployment/{{booking}}
kubectl rollout status deployment/{{booking}} --timeout=180s
sleep 5
kubectl label node {{berth}} yard=inspected
kubectl uncordon {{berth}}
kubectl set env deployment/{{booking}} VOYAGE=next
kubectl rollout status deployment/{{booking}} --timeout=180s
sleep 5
