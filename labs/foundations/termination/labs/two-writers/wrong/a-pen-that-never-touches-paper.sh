# fails: written
kubectl create configmap forecast --from-literal=listed=no --from-literal=writing=yes --from-literal=same-name=yes --from-literal=both=yes --from-literal=confirms=kubelet --from-literal=finished=no
sed -i 's/value: old/value: {{parcel}}/; s/while true; do write; done/sleep 86400/' scribe.yaml
kubectl delete pod scribe
kubectl apply -f scribe.yaml
kubectl wait --for=condition=Ready pod/scribe --timeout=60s
sleep 5
