"""The cluster roles that people are given, as objects: cluster-admin, and admin, edit, view with what they gather.

Models plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go (viewRules, editRules, ClusterRoles), without the roles
of components, which are literal tables of the API server.
"""

from __future__ import annotations

from cluster_engine.apimachinery.cow import JSON

GROUP = "rbac.authorization.k8s.io"
_READ = ["get", "list", "watch"]
_WRITE = ["create", "delete", "deletecollection", "patch", "update"]
_READ_WRITE = [*_WRITE, *_READ]
_AGGREGATE = f"{GROUP}/aggregate-to-"


def _rule(verbs: list[str], group: str, *resources: str) -> JSON:
    return {"verbs": verbs, "apiGroups": [group], "resources": sorted(resources)}


_VIEW = [
    _rule(_READ, "", "configmaps", "endpoints", "persistentvolumeclaims", "persistentvolumeclaims/status", "pods",
          "replicationcontrollers", "replicationcontrollers/scale", "serviceaccounts", "services", "services/status"),
    _rule(_READ, "", "bindings", "events", "limitranges", "namespaces/status", "pods/log", "pods/status",
          "replicationcontrollers/status", "resourcequotas", "resourcequotas/status"),
    _rule(_READ, "", "namespaces"),
    _rule(_READ, "discovery.k8s.io", "endpointslices"),
    _rule(_READ, "apps", "controllerrevisions", "daemonsets", "daemonsets/status", "deployments", "deployments/scale",
          "deployments/status", "replicasets", "replicasets/scale", "replicasets/status", "statefulsets",
          "statefulsets/scale", "statefulsets/status"),
    _rule(_READ, "autoscaling", "horizontalpodautoscalers", "horizontalpodautoscalers/status"),
    _rule(_READ, "batch", "cronjobs", "cronjobs/status", "jobs", "jobs/status"),
    _rule(_READ, "extensions", "daemonsets", "daemonsets/status", "deployments", "deployments/scale",
          "deployments/status", "ingresses", "ingresses/status", "networkpolicies", "replicasets", "replicasets/scale",
          "replicasets/status", "replicationcontrollers/scale"),
    _rule(_READ, "policy", "poddisruptionbudgets", "poddisruptionbudgets/status"),
    _rule(_READ, "networking.k8s.io", "ingresses", "ingresses/status", "networkpolicies"),
]  # fmt: skip
_EDIT = [
    _rule(_READ, "", "pods/attach", "pods/exec", "pods/portforward", "pods/proxy", "secrets", "services/proxy"),
    _rule(["impersonate"], "", "serviceaccounts"),
    _rule(_WRITE, "", "pods", "pods/attach", "pods/exec", "pods/portforward", "pods/proxy"),
    _rule(["create"], "", "pods/eviction"),
    _rule(_WRITE, "", "configmaps", "events", "persistentvolumeclaims", "replicationcontrollers",
          "replicationcontrollers/scale", "secrets", "serviceaccounts", "services", "services/proxy"),
    _rule(["create"], "", "serviceaccounts/token"),
    _rule(_WRITE, "apps", "daemonsets", "deployments", "deployments/rollback", "deployments/scale", "replicasets",
          "replicasets/scale", "statefulsets", "statefulsets/scale"),
    _rule(_WRITE, "autoscaling", "horizontalpodautoscalers"),
    _rule(_WRITE, "batch", "cronjobs", "jobs"),
    _rule(_WRITE, "extensions", "daemonsets", "deployments", "deployments/rollback", "deployments/scale", "ingresses",
          "networkpolicies", "replicasets", "replicasets/scale", "replicationcontrollers/scale"),
    _rule(_WRITE, "policy", "poddisruptionbudgets"),
    _rule(_WRITE, "networking.k8s.io", "ingresses", "networkpolicies"),
    _rule(_READ_WRITE, "coordination.k8s.io", "leases"),
]  # fmt: skip
_ADMIN = [
    _rule(["create"], "authorization.k8s.io", "localsubjectaccessreviews"),
    _rule(_READ_WRITE, GROUP, "rolebindings", "roles"),
]
_EVERYTHING = [
    {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]},
    {"verbs": ["*"], "nonResourceURLs": ["*"]},
]


def _object(kind: str, name: str, gathered_by: str = "", **fields: object) -> JSON:
    labels = {"kubernetes.io/bootstrapping": "rbac-defaults"}
    if gathered_by:
        labels[_AGGREGATE + gathered_by] = "true"
    meta = {
        "name": name,
        "labels": labels,
        "annotations": {"rbac.authorization.kubernetes.io/autoupdate": "true"},
    }
    return {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": meta, **fields}


def _gathering(name: str, gathered_by: str = "") -> JSON:
    selector = {"matchLabels": {_AGGREGATE + name: "true"}}
    return _object(
        "ClusterRole", name, gathered_by, aggregationRule={"clusterRoleSelectors": [selector]}, rules=[]
    )


CLUSTER_ROLES: tuple[JSON, ...] = (
    _object("ClusterRole", "cluster-admin", rules=_EVERYTHING),
    _object("ClusterRole", "system:aggregate-to-admin", "admin", rules=_ADMIN),
    _object("ClusterRole", "system:aggregate-to-edit", "edit", rules=_EDIT),
    _object("ClusterRole", "system:aggregate-to-view", "view", rules=_VIEW),
    _gathering("admin"),
    _gathering("edit", "admin"),
    _gathering("view", "edit"),
)
CLUSTER_ROLE_BINDINGS: tuple[JSON, ...] = (
    _object(
        "ClusterRoleBinding",
        "cluster-admin",
        roleRef={"apiGroup": GROUP, "kind": "ClusterRole", "name": "cluster-admin"},
        subjects=[{"apiGroup": GROUP, "kind": "Group", "name": "system:masters"}],
    ),
)
