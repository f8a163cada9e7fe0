cat > all.yaml <<'END'
apiVersion: v1
kind: ConfigMap
metadata: {name: seconds}
data: {shell: "30", listens: "0", short: "{{grace}}", hook: "{{hook}}", ended: "no"}
---
apiVersion: v1
kind: Pod
metadata: {name: desk}
spec:
  terminationGracePeriodSeconds: 30
  containers:
    - name: desk
      image: busybox:1.36
      command: [sh, /program/desk.sh]
      volumeMounts: [{name: program, mountPath: /program}]
  volumes: [{name: program, configMap: {name: desk}}]
END
kubectl delete pod desk
kubectl apply -f all.yaml
kubectl wait --for=condition=Ready pod/desk --timeout=60s
