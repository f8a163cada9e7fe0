kubectl debug control --image=busybox:1.36 --target=control --container=guest -- sleep 3600
kubectl wait --for=jsonpath='{.status.ephemeralContainerStatuses[0].state.running}' pod/control --timeout=120s
port=$(kubectl exec control -c guest -- ps | sed -n 's/.*-listen=:\([0-9]*\).*/\1/p')
says=$(kubectl exec control -c guest -- wget -qO- http://localhost:$port/)
kubectl create configmap finding --from-literal=port=$port --from-literal=says=$says --from-literal=removable=no --from-literal=serves=no
