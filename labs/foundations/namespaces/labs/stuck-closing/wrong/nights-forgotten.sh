# fails: copied
for n in 1 2 3; do
  kubectl create configmap programme-$n -n archive "--from-literal=play=play of programme-$n"
  kubectl patch configmap programme-$n -n {{season}} --type=merge -p '{"metadata":{"finalizers":[]}}'
done
kubectl wait --for=delete namespace/{{season}} --timeout=120s
