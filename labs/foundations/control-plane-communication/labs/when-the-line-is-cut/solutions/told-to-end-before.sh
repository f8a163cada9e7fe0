kubectl exec {{lamp}} -- sh -c '(sleep 90; kill 1) >/dev/null 2>&1 &'
fault link {{rig.node}} cut
sleep 150
fault link {{rig.node}} healed
sleep 60
cat > notes.yaml <<'END'
apiVersion: v1
kind: ConfigMap
metadata: {name: forecast}
data: {logs: "no", exec: "no", proxy: "no", neighbours: "yes", restart: "yes", new-pod: "no", heir: konnectivity, dials: node}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: one-page}
rules:
  - apiGroups: [""]
    resources: [services/proxy]
    resourceNames: [{{lamp}}]
    verbs: [get]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: one-page}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: one-page}
subjects: [{kind: ServiceAccount, name: shore}]
END
kubectl apply -f notes.yaml
