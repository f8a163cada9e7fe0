# fails: never-ready
kubectl create configmap phases --from-literal=always=Running --from-literal=onfailure={{fault.onfailure}} --from-literal=never={{fault.never}} --from-literal=no-room=Pending --from-literal=no-settings=Pending --from-literal=half-done=Running
kubectl run {{name}}-failed --image=busybox:1.36 --restart=Never -- sh -c 'exit 1'
cat > closed.yaml <<'END'
apiVersion: v1
kind: Pod
metadata: {name: {{name}}-closed}
spec:
  containers:
    - name: main
      image: nginx:1.27
      readinessProbe: {httpGet: {path: /, port: 80}, initialDelaySeconds: 200}
END
kubectl apply -f closed.yaml
sleep 20
