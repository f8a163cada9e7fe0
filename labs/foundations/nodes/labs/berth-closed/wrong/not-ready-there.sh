# fails: used
kubectl cordon {{berth}}
kubectl get pod tide-table -o yaml > tide-table.yaml
sed -i '/nodeName/d' tide-table.yaml
kubectl replace --force -f tide-table.yaml
kubectl wait --for=condition=Ready pod/tide-table --timeout=60s
kubectl rollout restart deployment/{{booking}}
kubectl rollout status deployment/{{booking}} --timeout=180s
sleep 5
kubectl label node {{berth}} yard=inspected
kubectl uncordon {{berth}}
kubectl set image deployment/{{booking}} web=nginx:1.99.99-none
sleep 30
