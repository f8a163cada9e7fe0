# fails: even narrow
kubectl create configmap report --from-literal=written-in=defaultConstraints --from-literal=type=List --from-literal=bare-pod=no --from-literal=own-rule=no --from-literal=built-in=ScheduleAnyway
kubectl get deployment {{faculty}} -o json | jq '.spec.template.spec.nodeName = "worker-2" | .spec.strategy = {type: "Recreate"}' > pinned.json
kubectl replace -f pinned.json
kubectl rollout status deployment/{{faculty}} --timeout=120s
sleep 5
