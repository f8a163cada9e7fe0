cat > roles.yaml <<'END'
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: looks}
rules:
  - apiGroups: ["", apps]
    resources: [pods, services, deployments, replicasets, daemonsets, statefulsets]
    verbs: [get, list, watch]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: looks}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: looks}
subjects: [{kind: ServiceAccount, name: window, namespace: {{office}}}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: opens-dashboards}
rules:
  - apiGroups: [""]
    resources: [services/proxy]
    resourceNames: [dashboard]
    verbs: [get]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: porter, namespace: {{office}}}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: opens-dashboards}
subjects: [{kind: User, name: porter, apiGroup: rbac.authorization.k8s.io}]
END
kubectl apply -f roles.yaml
