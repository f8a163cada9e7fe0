# fails: new-pen written
kubectl create configmap forecast --from-literal=listed=no --from-literal=writing=yes --from-literal=same-name=yes --from-literal=both=yes --from-literal=confirms=kubelet --from-literal=finished=no
kubectl replace --force -f scribe.yaml
kubectl wait --for=condition=Ready pod/scribe --timeout=60s
