#!/usr/bin/env bash
# Fresh cluster, real kubectl; everything goes to one stream.
exec 2>&1
cd "$(dirname "$0")" || exit 1

kubectl apply -f input.yaml; kubectl wait --for=condition=Ready pod/names pod/onhost
kubectl exec names -- cat /etc/hosts
kubectl exec names -- cat /etc/resolv.conf
kubectl exec names -- hostname -f
kubectl exec onhost -- cat /etc/resolv.conf
