# fails: finding remains
kubectl debug control --image=busybox:1.36 --target=control --container=guest -- sleep 3600
sleep 5
kubectl create configmap finding --from-literal=port={{port}} --from-literal=says=hello --from-literal=removable=no --from-literal=serves=yes
