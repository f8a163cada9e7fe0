# fails: new-pen written
kubectl create configmap forecast --from-literal=listed=no --from-literal=writing=yes --from-literal=same-name=yes --from-literal=both=yes --from-literal=confirms=kubelet --from-literal=finished=no
sed -i 's/value: old/value: {{parcel}}/; s/busybox:1.36/busybox:none/' scribe.yaml
kubectl delete pod scribe
kubectl apply -f scribe.yaml
sleep 10
