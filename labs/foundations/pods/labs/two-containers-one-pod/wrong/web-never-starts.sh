# fails: two-ready writer-writes
cat > notebook.yaml <<'END'
apiVersion: v1
kind: Pod
metadata:
  name: notebook
spec:
  volumes:
    - name: pages
      emptyDir: {}
  containers:
    - name: web
      image: nginx:1.72
      volumeMounts:
        - {name: pages, mountPath: /usr/share/nginx/html}
    - name: writer
      image: busybox:1.36
      command: ["sh", "-c", "while true; do date >> /pages/index.html; echo wrote; sleep 5; done"]
      volumeMounts:
        - {name: pages, mountPath: /pages}
END
kubectl apply -f notebook.yaml
kubectl run task --image=busybox:1.36 --restart=Never -- sh -c 'exit 0'
kubectl delete pod greeter
kubectl run greeter --image=busybox:1.36 --env=GREETING=hi -- sh -c 'while true; do echo $GREETING; sleep 10; done'
kubectl wait --for=condition=Ready pod/greeter --timeout=120s
kubectl wait --for=jsonpath='{.status.phase}'=Succeeded pod/task --timeout=120s
sleep 30
