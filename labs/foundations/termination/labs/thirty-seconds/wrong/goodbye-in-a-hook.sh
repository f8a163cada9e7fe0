# fails: hears
kubectl create configmap seconds --from-literal=shell=30 --from-literal=listens=0 --from-literal=short={{grace}} --from-literal=hook={{hook}} --from-literal=ended=no
cat > desk.yaml <<'END'
apiVersion: v1
kind: Pod
metadata: {name: desk}
spec:
  terminationGracePeriodSeconds: 30
  containers:
    - name: desk
      image: busybox:1.36
      command: [sh, -c, "sh /program/desk.sh; echo closed"]
      lifecycle: {preStop: {exec: {command: [wget, -q, -O, /dev/null, "http://receiver/goodbye"]}}}
      volumeMounts: [{name: program, mountPath: /program}]
  volumes: [{name: program, configMap: {name: desk}}]
END
kubectl replace --force -f desk.yaml
kubectl wait --for=condition=Ready pod/desk --timeout=60s
