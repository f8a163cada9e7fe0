kubectl create configmap phases --from-literal=always=Running --from-literal=onfailure={{fault.onfailure}} --from-literal=never={{fault.never}} --from-literal=no-room=Pending --from-literal=no-settings=Pending --from-literal=half-done=Running
cat > two.yaml <<'END'
apiVersion: v1
kind: Pod
metadata: {name: {{name}}-failed}
spec:
  activeDeadlineSeconds: 5
  restartPolicy: OnFailure
  containers:
    - {name: main, image: "busybox:1.36", command: [sh, -c, "trap 'exit 0' TERM; while true; do sleep 1; done"]}
---
apiVersion: v1
kind: Pod
metadata: {name: {{name}}-closed}
spec:
  readinessGates: [{conditionType: laundry.example/dry}]
  containers:
    - {name: main, image: "nginx:1.27"}
END
kubectl apply -f two.yaml
sleep 30
