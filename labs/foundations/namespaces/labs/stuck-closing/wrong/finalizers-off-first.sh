# fails: copied in-order
for n in 1 2 3; do kubectl patch configmap programme-$n -n {{season}} --type=merge -p '{"metadata":{"finalizers":[]}}'; done
kubectl wait --for=delete namespace/{{season}} --timeout=120s
