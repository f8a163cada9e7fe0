# fails: in-order
for n in 1 2 3; do
  play=$(kubectl get configmap programme-$n -n {{season}} -o jsonpath='{.data.play}')
  kubectl patch configmap programme-$n -n {{season}} --type=merge -p '{"metadata":{"finalizers":[]}}'
  kubectl create configmap programme-$n -n archive "--from-literal=play=$play" --from-literal=nights=12
done
kubectl wait --for=delete namespace/{{season}} --timeout=120s
