cat > notes.yaml <<'END'
apiVersion: v1
kind: ConfigMap
metadata: {name: makers}
data: {churn: {{owner.churn}}, butter: {{owner.butter}}, cooler: DaemonSet, taster: none}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: paused}
data: {heals: "yes", rolls: "no"}
END
kubectl apply -f notes.yaml
kubectl scale {{owner.churn}} churn --replicas=0
kubectl wait --for=delete pod -l app=churn --timeout=60s
