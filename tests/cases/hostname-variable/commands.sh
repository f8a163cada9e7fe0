#!/usr/bin/env bash
# Fresh cluster, real kubectl; everything goes to one stream.
exec 2>&1
cd "$(dirname "$0")" || exit 1

kubectl apply -f input.yaml; sleep 5
kubectl get pods command-demo shell; kubectl logs command-demo; kubectl logs shell
