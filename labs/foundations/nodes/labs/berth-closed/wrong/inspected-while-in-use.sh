# fails: empty
kubectl cordon {{berth}}
kubectl get pod tide-table -o yaml > tide-table.yaml
sed -i '/nodeName/d' tide-table.yaml
kubectl replace --force -f tide-table.yaml
kubectl wait --for=condition=Ready pod/tide-table --timeout=60s
kubectl label node {{berth}} yard=inspected
kubectl uncordon {{berth}}
