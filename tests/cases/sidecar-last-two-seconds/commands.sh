#!/usr/bin/env bash
# Fresh cluster, real kubectl; everything goes to one stream.
exec 2>&1
cd "$(dirname "$0")" || exit 1

kubectl apply -f input.yaml
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 1; [ "$(kubectl get pod trio -o jsonpath='{.status.phase}')" = Succeeded ] && break; done
kubectl get pod trio -o jsonpath='{range .status.initContainerStatuses[*]}{.name} {.state.terminated.exitCode} {.state.terminated.reason} {.state.terminated.finishedAt}{"\n"}{end}'
kubectl logs trio -c first
