# fails: even narrow
# after: only-open-floors.sh
jq '.spec.template.spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].values = ["first"] | del(.metadata.resourceVersion)' faculty.json > one.json
kubectl replace -f one.json
kubectl rollout status deployment/{{faculty}} --timeout=120s
sleep 5
