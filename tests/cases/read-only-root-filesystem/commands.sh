#!/usr/bin/env bash
# Fresh cluster, real kubectl; everything goes to one stream.
exec 2>&1
cd "$(dirname "$0")" || exit 1

kubectl apply -f input.yaml; kubectl wait --for=condition=Ready pod/frozen; sleep 2
kubectl exec frozen -- touch /x; echo rc=$?
kubectl exec frozen -- sh -c 'echo y > /y'; echo rc=$?
kubectl get pod web; kubectl logs web | tail -2
