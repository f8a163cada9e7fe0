cat > all.yaml <<'END'
apiVersion: v1
kind: ConfigMap
metadata: {name: forecast}
data: {uid: new, container: old, restarts: same, owner: Node, image: "no", wish: file}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: static}
data:
END
kubectl get pods -n kube-system -o json | jq -r '.items[] | select(.metadata.annotations["kubernetes.io/config.mirror"] != null) | "  \(.metadata.name): mirror"' >> all.yaml
kubectl apply -f all.yaml
