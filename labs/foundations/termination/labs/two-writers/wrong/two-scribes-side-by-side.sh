# fails: new-pen one-pen
kubectl create configmap forecast --from-literal=listed=no --from-literal=writing=yes --from-literal=same-name=yes --from-literal=both=yes --from-literal=confirms=kubelet --from-literal=finished=no
sed 's/value: old/value: {{parcel}}/; s/name: scribe$/name: scribe-2/' scribe.yaml > second.yaml
kubectl apply -f second.yaml
kubectl wait --for=condition=Ready pod/scribe-2 --timeout=60s
sleep 5
kubectl delete pod scribe
