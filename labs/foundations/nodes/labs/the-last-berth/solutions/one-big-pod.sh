kubectl create configmap forecast --from-literal=allocatable=4 --from-literal=left={{load.left}} --from-literal=fit={{load.fit}} --from-literal=idle=no --from-literal=address=$(kubectl get node worker-1 -o jsonpath="{.status.addresses[0].address}")
cat > cargo.yaml <<'END'
apiVersion: v1
kind: Pod
metadata:
  name: hold
  labels: {app: {{cargo}}}
spec:
  nodeSelector: {kubernetes.io/hostname: worker-1}
  containers:
    - name: web
      image: nginx:1.27
      resources: {requests: {cpu: {{load.left}}}}
END
kubectl apply -f cargo.yaml
kubectl wait --for=condition=Ready pod/hold --timeout=60s
