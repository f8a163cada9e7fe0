#!/usr/bin/env bash
# Fresh cluster, real kubectl; everything goes to one stream.
exec 2>&1
cd "$(dirname "$0")" || exit 1

kubectl apply -f input.yaml; sleep 3
kubectl get pods
kubectl get pods -o jsonpath='{range .items[*]}{.metadata.name}|{.status.phase}|{.status.reason}|{.status.message}{"\n"}{end}'
