# fails: untouched
kubectl get pod control -o yaml > control.yaml
kubectl replace --force -f control.yaml
kubectl wait --for=condition=Ready pod/control --timeout=60s
kubectl debug control --image=busybox:1.36 --target=control --container=guest -- sleep 3600
sleep 5
kubectl create configmap finding --from-literal=port={{port}} --from-literal=says={{word}} --from-literal=removable=no --from-literal=serves=no
