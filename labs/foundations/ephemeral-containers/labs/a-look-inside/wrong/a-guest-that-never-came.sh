# fails: joined
kubectl debug control --image=busybox:none --target=control --container=guest -- sleep 3600
sleep 20
kubectl create configmap finding --from-literal=port={{port}} --from-literal=says={{word}} --from-literal=removable=no --from-literal=serves=no
