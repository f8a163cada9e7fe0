# fails: kept
# after: one-query.sh
kubectl get job departure -o json | jq 'del(.status, .metadata.uid, .metadata.resourceVersion, .spec.selector, .spec.template.metadata.labels["controller-uid"], .spec.template.metadata.labels["batch.kubernetes.io/controller-uid"])' > departure.json
kubectl delete job departure
kubectl create -f departure.json
kubectl wait --for=condition=Complete job/departure --timeout=60s
