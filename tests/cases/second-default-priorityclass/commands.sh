#!/usr/bin/env bash
# Fresh cluster, real kubectl; everything goes to one stream.
exec 2>&1
cd "$(dirname "$0")" || exit 1

kubectl create -f input.yaml; echo rc=$?
kubectl get pc d-one d-two
kubectl delete pc d-one d-two --ignore-not-found
