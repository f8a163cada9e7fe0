kubectl get deployment sorter {{belt.eater}} -o json | jq '.items[].spec.template.spec.containers[0].resources = {requests: {memory: "64Mi"}, limits: {memory: "128Mi"}} | .items[] |= (if .metadata.name == "sorter" then . else .spec.template.spec.containers[0].resources.limits.memory = "512Mi" end)' > plant.json
kubectl replace -f plant.json
cat > metrics.yaml <<'END'
apiVersion: v1
kind: Service
metadata: {name: metrics, namespace: kube-system}
spec:
  selector: {k8s-app: metrics-server}
  ports: [{port: 443, targetPort: https}]
---
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1beta1.metrics.k8s.io}
spec:
  group: metrics.k8s.io
  version: v1beta1
  groupPriorityMinimum: 100
  versionPriority: 100
  insecureSkipTLSVerify: true
  service: {name: metrics, namespace: kube-system}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: note}
data: {eater: {{belt.eater}}, who: sorter, reason: OOMKilled, code: "137"}
END
kubectl apply -f metrics.yaml
kubectl patch deployment metrics-server -n kube-system -p '{"spec": {"replicas": 1}}'
sleep 120
