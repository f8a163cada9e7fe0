cat > look.yaml <<'END'
apiVersion: v1
kind: Pod
metadata: {name: look}
spec:
  terminationGracePeriodSeconds: 0
  containers: [{name: look, image: "busybox:1.36", command: [sleep, "3600"], volumeMounts: [{name: works, mountPath: /works}]}]
  volumes: [{name: works, configMap: {name: works}}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: instruments}
data: {crash: copy, bare: guest, rights: exec, machine: node, guest-leaves: entry, copy-leaves: pod, exec-leaves: nothing, restarted: "no"}
END
kubectl apply -f look.yaml
kubectl wait --for=condition=Ready pod/look --timeout=60s
kubectl exec look -- ls /works > file.txt
kubectl create configmap finding --from-literal=file=$(cat file.txt)
kubectl delete pod look
