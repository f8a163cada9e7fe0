#!/usr/bin/env bash
# Fresh cluster, real kubectl; everything goes to one stream.
exec 2>&1
cd "$(dirname "$0")" || exit 1

kubectl apply -f input.yaml
kubectl exec pend -- ls; echo rc=$?
kubectl create --raw '/api/v1/namespaces/default/pods/pend/exec?command=ls&stdout=true' -f /dev/null; echo rc=$?
