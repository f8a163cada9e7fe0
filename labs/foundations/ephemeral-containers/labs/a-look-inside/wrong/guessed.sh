# fails: finding remains
kubectl debug control --image=busybox:1.36 --target=control --container=guest -- sleep 3600
sleep 5
kubectl create configmap finding --from-literal=port=5678 --from-literal=says={{word}} --from-literal=removable=yes --from-literal=serves=no
