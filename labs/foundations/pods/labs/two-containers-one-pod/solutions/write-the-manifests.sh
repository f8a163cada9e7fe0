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
      image: nginx:1.27
      volumeMounts:
        - name: pages
          mountPath: /usr/share/nginx/html
    - name: writer
      image: busybox:1.36
      command: ["sh", "-c", "while true; do date >> /pages/index.html; echo wrote; sleep 5; done"]
      volumeMounts:
        - name: pages
          mountPath: /pages
END
kubectl apply -f notebook.yaml
kubectl run task --image=busybox:1.36 --restart=Never -- sh -c 'echo counting; sleep 3; echo done'
kubectl delete pod greeter
cat > greeter.yaml <<'END'
apiVersion: v1
kind: Pod
metadata:
  name: greeter
spec:
  containers:
    - name: greeter
      image: busybox:1.36
      env:
        - name: GREETING
          value: hello
      command: ["sh", "-c", "while true; do echo $GREETING; sleep 10; done"]
END
kubectl apply -f greeter.yaml
kubectl wait --for=condition=Ready pod/notebook pod/greeter --timeout=120s
kubectl wait --for=jsonpath='{.status.phase}'=Succeeded pod/task --timeout=120s
kubectl logs notebook -c writer
