# fails: joined
kubectl debug control --image=busybox:1.36 --copy-to=control-copy --container=guest -- sleep 3600
kubectl wait --for=condition=Ready pod/control-copy --timeout=120s
kubectl create configmap finding --from-literal=port={{port}} --from-literal=says={{word}} --from-literal=removable=no --from-literal=serves=no
