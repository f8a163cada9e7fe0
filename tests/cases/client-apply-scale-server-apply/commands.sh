#!/usr/bin/env bash
# Fresh cluster, real kubectl; everything goes to one stream.
exec 2>&1
cd "$(dirname "$0")" || exit 1

kubectl apply -f input.yaml
kubectl scale deploy mix --replicas=3
kubectl apply --server-side -f input.yaml; echo rc=$?
kubectl get deploy mix -o jsonpath='{.spec.replicas}{"\n"}'
