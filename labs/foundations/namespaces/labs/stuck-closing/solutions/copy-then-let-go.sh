for n in 1 2 3; do
  play=$(kubectl get configmap programme-$n -n {{season}} -o jsonpath='{.data.play}')
  nights=$(kubectl get configmap programme-$n -n {{season}} -o jsonpath='{.data.nights}')
  kubectl create configmap programme-$n -n archive "--from-literal=play=$play" "--from-literal=nights=$nights"
  kubectl patch configmap programme-$n -n {{season}} --type=json -p '[{"op": "remove", "path": "/metadata/finalizers"}]'
done
kubectl wait --for=delete namespace/{{season}} --timeout=120s
