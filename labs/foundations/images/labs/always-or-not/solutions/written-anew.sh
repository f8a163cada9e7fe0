digest=$(kubectl get pods -l app={{print}} -o json | jq -r '.items[0].status.containerStatuses[0].imageID' | cut -d@ -f2)
cat > desk.yaml <<END
apiVersion: v1
kind: ConfigMap
metadata: {name: policies}
data: {version: IfNotPresent, nothing: Always, latest: Always, digest: IfNotPresent, written: Never, changed: IfNotPresent, plugin: Always, asks: "yes"}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{film}}}
spec:
  selector: {matchLabels: {app: {{film}}}}
  template:
    metadata: {labels: {app: {{film}}}}
    spec:
      containers: [{name: web, image: "nginx:1.27", imagePullPolicy: Always}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{print}}}
spec:
  selector: {matchLabels: {app: {{print}}}}
  template:
    metadata: {labels: {app: {{print}}}}
    spec:
      containers: [{name: web, image: "nginx:1.27@$digest"}]
END
kubectl delete deployment {{film}} {{print}}
kubectl apply -f desk.yaml
kubectl rollout status deployment/{{film}} --timeout=120s
kubectl rollout status deployment/{{print}} --timeout=120s
