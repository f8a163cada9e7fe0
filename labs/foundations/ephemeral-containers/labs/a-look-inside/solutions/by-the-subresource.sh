kubectl get pod control -o json | jq '.spec.ephemeralContainers = [{"name": "visitor", "image": "busybox:1.36", "command": ["sleep", "3600"], "targetContainerName": "control"}]' > control.json
kubectl replace --raw /api/v1/namespaces/default/pods/control/ephemeralcontainers -f control.json > answer.json
kubectl wait --for=jsonpath='{.status.ephemeralContainerStatuses[0].state.running}' pod/control --timeout=120s
kubectl exec control -c visitor -- ps
cat > finding.yaml <<END
apiVersion: v1
kind: ConfigMap
metadata: {name: finding}
data:
  port: "{{port}}"
  says: $(kubectl exec control -c visitor -- wget -qO- http://localhost:{{port}}/)
  removable: "no"
  serves: "no"
END
kubectl apply -f finding.yaml
