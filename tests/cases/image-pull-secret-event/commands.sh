#!/usr/bin/env bash
# Fresh cluster, real kubectl; everything goes to one stream.
exec 2>&1
cd "$(dirname "$0")" || exit 1

kubectl apply -f input.yaml; sleep 3
kubectl get events --field-selector involvedObject.name=pull -o custom-columns=T:.type,R:.reason,M:.message
