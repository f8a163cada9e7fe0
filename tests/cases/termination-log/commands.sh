#!/usr/bin/env bash
# Fresh cluster, real kubectl; everything goes to one stream.
exec 2>&1
cd "$(dirname "$0")" || exit 1

kubectl apply -f input.yaml; sleep 4
kubectl get pod farewell; kubectl logs farewell
kubectl get pod farewell -o jsonpath='{.status.containerStatuses[0].state.terminated.exitCode}|{.status.containerStatuses[0].state.terminated.message}{"\n"}'
