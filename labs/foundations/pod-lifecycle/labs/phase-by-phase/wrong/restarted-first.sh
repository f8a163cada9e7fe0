# fails: failed-once never-ready
kubectl create configmap phases --from-literal=always=Running --from-literal=onfailure={{fault.onfailure}} --from-literal=never={{fault.never}} --from-literal=no-room=Pending --from-literal=no-settings=Pending --from-literal=half-done=Running
cat > two.yaml <<'END'
apiVersion: v1
kind: Pod
metadata: {name: {{name}}-failed}
spec:
  activeDeadlineSeconds: 40
  restartPolicy: OnFailure
  containers:
    - {name: main, image: "busybox:1.36", command: [sh, -c, "sleep 2; exit 1"]}
---
apiVersion: v1
kind: Pod
metadata: {name: {{name}}-closed}
spec:
  containers:
    - name: main
      image: busybox:1.36
      command: [sh, -c, "trap 'exit 0' TERM; while true; do sleep 1; done"]
      readinessProbe: {exec: {command: ["false"]}}
      livenessProbe: {exec: {command: ["false"]}, periodSeconds: 120}
END
kubectl apply -f two.yaml
sleep 60
