# fails: untouched
kubectl set image pod/control control=hashicorp/http-echo:0.2.3
sleep 10
kubectl debug control --image=busybox:1.36 --target=control --container=guest -- sleep 3600
sleep 5
kubectl create configmap finding --from-literal=port={{port}} --from-literal=says={{word}} --from-literal=removable=no --from-literal=serves=no
