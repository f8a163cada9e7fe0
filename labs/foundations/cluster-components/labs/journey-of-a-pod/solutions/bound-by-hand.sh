kubectl apply -f tonight.yaml
kubectl rollout status deployment/{{dome}} --timeout=120s
cat > journey.yaml <<'END'
apiVersion: v1
kind: ConfigMap
metadata: {name: journey}
data:
  replicaset: kube-controller-manager
  pods: kube-controller-manager
  node: kube-scheduler
  address: kubelet
  slice: kube-controller-manager
  container: kubelet
  daemon: kube-scheduler
  order: ScalingReplicaSet SuccessfulCreate Scheduled Pulled Created Started
---
apiVersion: v1
kind: Pod
metadata: {name: direct}
spec:
  schedulerName: the-astronomer
  containers: [{name: web, image: "nginx:1.27"}]
END
kubectl apply -f journey.yaml
cat > binding.json <<'END'
{"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "direct"}, "target": {"apiVersion": "v1", "kind": "Node", "name": "worker-2"}}
END
kubectl create --raw /api/v1/namespaces/default/pods/direct/binding -f binding.json
kubectl wait --for=condition=Ready pod/direct --timeout=120s
