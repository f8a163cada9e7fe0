#!/usr/bin/env bash
# Fresh cluster, real kubectl; everything goes to one stream.
exec 2>&1
cd "$(dirname "$0")" || exit 1

kubectl apply -f input.yaml; kubectl wait --for=condition=Ready pod/writer
kubectl exec writer -- ls -l /conf
kubectl exec writer -- sh -c 'echo x > /conf/a.txt'; echo rc=$?
kubectl exec writer -- rm /conf/a.txt; echo rc=$?
kubectl exec writer -- ls -a /conf
