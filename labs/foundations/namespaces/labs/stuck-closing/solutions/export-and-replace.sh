for n in 1 2 3; do
  kubectl get configmap programme-$n -n {{season}} -o yaml > programme-$n.yaml
  grep -v -e 'uid:' -e 'resourceVersion:' -e 'deletionTimestamp:' -e 'deletionGracePeriodSeconds:' -e 'creationTimestamp:' -e 'finalizers:' -e '- theatre.example' programme-$n.yaml | sed 's/namespace: {{season}}/namespace: archive/' > copy-$n.yaml
  kubectl apply -f copy-$n.yaml
done
for n in 1 2 3; do kubectl patch configmap programme-$n -n {{season}} --type=merge -p '{"metadata":{"finalizers":[]}}'; done
kubectl wait --for=delete namespace/{{season}} --timeout=120s
