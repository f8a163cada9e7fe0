# fails: joined
kubectl debug control --image=busybox:1.36 --container=guest -- sleep 3600
sleep 5
kubectl create configmap finding --from-literal=port={{port}} --from-literal=says={{word}} --from-literal=removable=no --from-literal=serves=no
