cat > classes.yaml <<'END'
apiVersion: v1
kind: ConfigMap
metadata: {name: stations}
data: {{{case.slip}}: admission, {{case.handler}}: kubelet, {{case.place}}: scheduler}
---
apiVersion: node.k8s.io/v1
kind: RuntimeClass
metadata: {name: sealde}
handler: runc
scheduling: {nodeSelector: {rooms: sealed}}
---
apiVersion: node.k8s.io/v1
kind: RuntimeClass
metadata: {name: vault}
handler: runc
scheduling: {nodeSelector: {rooms: sealed}}
---
apiVersion: node.k8s.io/v1
kind: RuntimeClass
metadata: {name: attic}
handler: runc
scheduling: {nodeSelector: {rooms: sealed}}
END
kubectl delete runtimeclass vault attic
kubectl apply -f classes.yaml
kubectl delete pods -l office=filing --now
for team in {{case.slip}} {{case.handler}} {{case.place}}; do kubectl rollout restart deployment/$team; done
for team in {{case.slip}} {{case.handler}} {{case.place}}; do kubectl rollout status deployment/$team --timeout=120s; done
sleep 5
