# fails: shared-volume writer-writes task-succeeded greeter-mended
cat > notebook.yaml <<'END'
apiVersion: v1
kind: Pod
metadata:
  name: notebook
spec:
  containers:
    - name: web
      image: nginx:1.27
    - name: writer
      image: busybox:1.36
      command: ["sh", "-c", "mkdir -p /pages; while true; do date >> /pages/index.html; echo wrote; sleep 5; done"]
END
kubectl apply -f notebook.yaml
kubectl run task --image=busybox:1.36 -- sh -c 'echo done'
kubectl wait --for=condition=Ready pod/notebook --timeout=120s
sleep 5
