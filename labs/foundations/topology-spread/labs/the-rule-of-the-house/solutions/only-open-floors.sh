kubectl get deployment {{faculty}} -o json | jq '.spec.strategy = {type: "Recreate"} | .spec.template.spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms = [{matchExpressions: [{key: "floor", operator: "In", values: ["first", "second"]}]}]' > faculty.json
kubectl replace -f faculty.json
cat > report.yaml <<'END'
apiVersion: v1
kind: ConfigMap
metadata: {name: report}
data: {written-in: defaultConstraints, type: List, bare-pod: "no", own-rule: "no", built-in: ScheduleAnyway}
END
kubectl apply -f report.yaml
kubectl rollout status deployment/{{faculty}} --timeout=120s
sleep 5
