kubectl patch service {{market}} --type=json -p '[{"op": "replace", "path": "/spec/type", "value": "NodePort"}, {"op": "replace", "path": "/spec/ports/0/nodePort", "value": 30080}]'
kubectl patch node worker-2 --type=merge -p '{"spec": {"providerID": "yard://{{machine}}", "taints": null}}'
cat > notes.yaml <<END
apiVersion: v1
kind: ConfigMap
metadata: {name: forecast}
data: {cluster-ip: "yes", node-port: "yes", external-ip: "no", worker-2: "no"}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: door}
data: {url: "http://$(kubectl get node worker-2 -o jsonpath='{.status.addresses[0].address}'):30080/"}
END
kubectl apply -f notes.yaml
