cat > notes.yaml <<'END'
apiVersion: v1
kind: ConfigMap
metadata: {name: notes, namespace: {{desk.near}}}
data:
  archive: {{page.near}}
  other: {{page.far}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: housed, namespace: {{desk.near}}}
data:
  {{kinds.in1}}: "yes"
  {{kinds.in2}}: "yes"
  {{kinds.in3}}: "yes"
  {{kinds.out1}}: "no"
  {{kinds.out2}}: "no"
  {{kinds.out3}}: "no"
END
kubectl apply -f notes.yaml
kubectl patch deployment reader -n {{desk.near}} -p '{"spec": {"template": {"spec": {"containers": [{"name": "reader", "env": [{"name": "ARCHIVES", "value": "archive.{{desk.near}}.svc.cluster.local archive.{{desk.far}}.svc.cluster.local"}]}]}}}}'
kubectl rollout status deployment/reader -n {{desk.near}} --timeout=60s
