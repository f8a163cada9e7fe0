"""What upstream's default cluster roles give to components and to everybody, as literal tables.

Models plugin/pkg/auth/authorizer/rbac/bootstrappolicy ({controller_,}policy.go). The controllers act as their
service accounts, as kubeadm sets the controller manager up (``--use-service-account-credentials``).
"""

from __future__ import annotations

from functools import lru_cache

from ..types import UserInfo
from .interface import ALLOW, NO_OPINION, Access, Decision, PathRule, Rule, Rules
from .privileged_groups import MASTERS

READ = ("get", "list", "watch")
_FOLLOW = ("list", "watch")
_EVENTS = Rule(("create", "update", "patch"), ("", "events.k8s.io"), ("events",))
_ALL = (Rule(("*",), ("*",), ("*",)),)


def _core(verbs: tuple[str, ...], *resources: str) -> Rule:
    return Rule(verbs, ("",), resources)


def _apps(verbs: tuple[str, ...], *resources: str) -> Rule:
    return Rule(verbs, ("apps",), resources)


def _batch(verbs: tuple[str, ...], *resources: str) -> Rule:
    return Rule(verbs, ("batch",), resources)


def _certificates(verbs: tuple[str, ...], *resources: str) -> Rule:
    return Rule(verbs, ("certificates.k8s.io",), resources)


NODE_RULES: tuple[Rule, ...] = (
    Rule(("create",), ("authentication.k8s.io",), ("tokenreviews",)),
    Rule(("create",), ("authorization.k8s.io",), ("subjectaccessreviews", "localsubjectaccessreviews")),
    _core(READ, "services"),
    _EVENTS,
    _certificates(("create", *READ), "certificatesigningrequests"),
    _core(("get",), "endpoints"),
)
"""Of what the node authorizer does not look at more closely (NodeRules)."""

_CONTROLLERS: dict[str, tuple[Rule, ...]] = {
    # Not upstream's: a cloud brings the role of its own manager.
    "cloud-controller-manager": (
        _core((*READ, "update"), "nodes", "services"),
        _core(("update",), "services/status"),
        _EVENTS,
    ),
    "certificate-controller": (
        _certificates((*READ, "delete"), "certificatesigningrequests"),
        _certificates(
            ("update",), "certificatesigningrequests/status", "certificatesigningrequests/approval"
        ),
        Rule(
            ("approve",),
            ("certificates.k8s.io",),
            ("signers",),
            ("kubernetes.io/kube-apiserver-client-kubelet",),
        ),
        Rule(
            ("sign",),
            ("certificates.k8s.io",),
            ("signers",),
            (
                "kubernetes.io/legacy-unknown",
                "kubernetes.io/kube-apiserver-client",
                "kubernetes.io/kube-apiserver-client-kubelet",
                "kubernetes.io/kubelet-serving",
            ),
        ),
        Rule(("create",), ("authorization.k8s.io",), ("subjectaccessreviews",)),
        _EVENTS,
    ),
    "cronjob-controller": (
        _batch((*_FOLLOW, "get", "update"), "cronjobs"),
        _batch((*_FOLLOW, "get", "create", "update", "delete", "patch"), "jobs"),
        _batch(("update",), "cronjobs/status", "cronjobs/finalizers"),
        _core(("list", "delete"), "pods"),
        _EVENTS,
    ),
    "daemon-set-controller": (
        _apps(READ, "daemonsets"),
        _apps(("update",), "daemonsets/status", "daemonsets/finalizers"),
        _core(_FOLLOW, "nodes"),
        _core((*_FOLLOW, "create", "delete", "patch"), "pods"),
        _core(("create",), "pods/binding"),
        _apps((*READ, "create", "delete", "update", "patch"), "controllerrevisions"),
        _EVENTS,
    ),
    "deployment-controller": (
        _apps((*READ, "update"), "deployments"),
        _apps(("update",), "deployments/status", "deployments/finalizers"),
        _apps((*READ, "create", "update", "patch", "delete"), "replicasets"),
        _core((*READ, "update"), "pods"),
        _EVENTS,
    ),
    "disruption-controller": (
        _apps(READ, "deployments", "replicasets", "statefulsets"),
        _core(READ, "replicationcontrollers"),
        Rule(READ, ("policy",), ("poddisruptionbudgets",)),
        Rule(("update",), ("policy",), ("poddisruptionbudgets/status",)),
        _core(("patch", "update"), "pods/status"),
        Rule(("get",), ("*",), ("*/scale",)),
        _EVENTS,
    ),
    "endpoint-controller": (
        _core(READ, "services", "pods"),
        _core((*READ, "create", "update", "delete"), "endpoints"),
        _core(("create",), "endpoints/restricted"),
        _EVENTS,
    ),
    "endpointslice-controller": (
        _core(READ, "services", "pods", "nodes"),
        _core(("update",), "services/finalizers"),
        Rule((*READ, "create", "update", "delete"), ("discovery.k8s.io",), ("endpointslices",)),
        _EVENTS,
    ),
    "generic-garbage-collector": (Rule((*READ, "patch", "update", "delete"), ("*",), ("*",)), _EVENTS),
    "job-controller": (
        _batch((*READ, "update", "patch"), "jobs"),
        _batch(("update",), "jobs/status", "jobs/finalizers"),
        _core((*_FOLLOW, "create", "delete", "patch"), "pods"),
        _EVENTS,
    ),
    "namespace-controller": (
        _core((*READ, "delete"), "namespaces"),
        _core(("update",), "namespaces/finalize", "namespaces/status"),
        Rule((*READ, "delete", "deletecollection"), ("*",), ("*",)),
    ),
    "node-controller": (
        _core((*READ, "update", "delete", "patch"), "nodes"),
        _core(("patch", "update"), "nodes/status", "pods/status"),
        _core((*READ, "delete"), "pods"),
        _EVENTS,
    ),
    "pod-garbage-collector": (
        _core((*_FOLLOW, "delete"), "pods"),
        _core(READ, "nodes"),
        _core(("patch",), "pods/status"),
    ),
    "replicaset-controller": (
        _apps((*READ, "update"), "replicasets"),
        _apps(("update",), "replicasets/status", "replicasets/finalizers"),
        _core((*_FOLLOW, "patch", "create", "delete"), "pods"),
        _EVENTS,
    ),
    "resourcequota-controller": (
        Rule(_FOLLOW, ("*",), ("*",)),
        _core(("update",), "resourcequotas/status"),
        _EVENTS,
    ),
    "persistent-volume-binder": (
        _core((*READ, "update", "create", "delete"), "persistentvolumes"),
        _core(("update",), "persistentvolumes/status", "persistentvolumeclaims/status"),
        _core((*READ, "update"), "persistentvolumeclaims"),
        _core((*READ, "create", "delete"), "pods"),
        Rule(READ, ("storage.k8s.io",), ("storageclasses",)),
        _EVENTS,
    ),
    "endpointslicemirroring-controller": (
        _core(READ, "services", "endpoints"),
        _core(("update",), "endpoints/finalizers", "services/finalizers"),
        Rule((*READ, "create", "update", "delete"), ("discovery.k8s.io",), ("endpointslices",)),
        _EVENTS,
    ),
    "ephemeral-volume-controller": (
        _core(READ, "pods"),
        _core(("update",), "pods/finalizers"),
        _core((*READ, "create"), "persistentvolumeclaims"),
        _EVENTS,
    ),
    "pvc-protection-controller": (
        _core((*READ, "update"), "persistentvolumeclaims"),
        _core(READ, "pods"),
        _EVENTS,
    ),
    "pv-protection-controller": (_core((*READ, "update"), "persistentvolumes"), _EVENTS),
    "replication-controller": (
        _core((*READ, "update"), "replicationcontrollers"),
        _core(("update",), "replicationcontrollers/status", "replicationcontrollers/finalizers"),
        _core((*_FOLLOW, "patch", "create", "delete"), "pods"),
        _EVENTS,
    ),
    "clusterrole-aggregation-controller": _ALL,
    "root-ca-cert-publisher": (_core(("create", "update"), "configmaps"), _EVENTS),
    "service-account-controller": (_core(("create",), "serviceaccounts"), _EVENTS),
    "horizontal-pod-autoscaler": (
        Rule(READ, ("autoscaling",), ("horizontalpodautoscalers",)),
        Rule(("update",), ("autoscaling",), ("horizontalpodautoscalers/status",)),
        Rule(("get", "update"), ("*",), ("*/scale",)),
        _core(("list",), "pods"),
        Rule(("list",), ("metrics.k8s.io",), ("pods",)),
        Rule(("get", "list"), ("custom.metrics.k8s.io", "external.metrics.k8s.io"), ("*",)),
        _EVENTS,
    ),
    "statefulset-controller": (
        _core((*READ, "create", "update", "patch", "delete"), "pods"),
        _apps(READ, "statefulsets"),
        _apps(("update",), "statefulsets/status", "statefulsets/finalizers"),
        _apps((*READ, "create", "update", "patch", "delete"), "controllerrevisions"),
        _core((*READ, "create", "update", "delete"), "persistentvolumeclaims"),
        _EVENTS,
    ),
    "ttl-after-finished-controller": (_batch((*READ, "delete"), "jobs"), _EVENTS),
    "validatingadmissionpolicy-status-controller": (
        Rule(READ, ("admissionregistration.k8s.io",), ("validatingadmissionpolicies",)),
        Rule(
            ("get", "patch", "update"),
            ("admissionregistration.k8s.io",),
            ("validatingadmissionpolicies/status",),
        ),
        _EVENTS,
    ),
    "taint-eviction-controller": (
        _core((*READ, "delete"), "pods"),
        _core(READ, "nodes"),
        _core(("patch",), "pods/status"),
        _EVENTS,
    ),
}
_NODE_PROXIER = (
    _core(_FOLLOW, "services", "endpoints"),
    _core(READ, "nodes"),
    _EVENTS,
    Rule(_FOLLOW, ("discovery.k8s.io",), ("endpointslices",)),
)
# By group or user name, in the order in which reviews list them.
_RULES: dict[str, tuple[Rule, ...]] = {
    MASTERS: _ALL,
    "kubeadm:cluster-admins": _ALL,
    "system:authenticated": (
        Rule(
            ("create",),
            ("authorization.k8s.io",),
            ("selfsubjectaccessreviews", "selfsubjectrulesreviews"),
        ),
        Rule(("create",), ("authentication.k8s.io",), ("selfsubjectreviews",)),
    ),
    # kubeadm's binding kubeadm:node-autoapprove-certificate-rotation
    "system:nodes": (_certificates(("create",), "certificatesigningrequests/selfnodeclient"),),
    "system:kube-scheduler": (
        _EVENTS,
        Rule(("create", *READ, "update"), ("coordination.k8s.io",), ("leases",)),
        _core(READ, "nodes", "namespaces", "replicationcontrollers", "services"),
        _core(("delete", *READ), "pods"),
        _core(("create",), "bindings", "pods/binding"),
        _core(("patch", "update"), "pods/status"),
        _apps(READ, "replicasets", "statefulsets"),
        Rule(READ, ("policy",), ("poddisruptionbudgets",)),
        _core((*READ, "patch", "update"), "persistentvolumeclaims", "persistentvolumes"),
        Rule(READ, ("storage.k8s.io",), ("csinodes", "csidrivers", "csistoragecapacities", "storageclasses")),
    ),
    "system:kube-controller-manager": (
        _EVENTS,
        Rule(("create", *READ, "update"), ("coordination.k8s.io",), ("leases",)),
        _core(("create",), "secrets", "serviceaccounts"),
        _core(("delete",), "secrets"),
        _core(("get",), "namespaces", "secrets", "serviceaccounts", "configmaps"),
        _core(("update",), "secrets", "serviceaccounts"),
        Rule(_FOLLOW, ("*",), ("*",)),
        _core(("create",), "serviceaccounts/token"),
    ),
    "system:kube-proxy": _NODE_PROXIER,
    "system:serviceaccount:kube-system:kube-proxy": _NODE_PROXIER,
    "system:serviceaccount:kube-system:coredns": (
        _core(_FOLLOW, "endpoints", "services", "pods", "namespaces"),
        Rule(_FOLLOW, ("discovery.k8s.io",), ("endpointslices",)),
    ),
    **{f"system:serviceaccount:kube-system:{name}": rules for name, rules in _CONTROLLERS.items()},
}
_ACCOUNT = "system:serviceaccount:"
_HELD_BY_ALL = ("system:authenticated", "system:unauthenticated")
_BINDINGS = {
    MASTERS: ("cluster-admin", "cluster-admin"),
    "kubeadm:cluster-admins": ("kubeadm:cluster-admins", "cluster-admin"),
    "system:nodes": (
        "kubeadm:node-autoapprove-certificate-rotation",
        "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient",
    ),
    "system:kube-scheduler": ("system:kube-scheduler", "system:kube-scheduler"),
    "system:kube-controller-manager": ("system:kube-controller-manager", "system:kube-controller-manager"),
    "system:kube-proxy": ("system:node-proxier", "system:node-proxier"),
    f"{_ACCOUNT}kube-system:kube-proxy": ("kubeadm:node-proxier", "system:node-proxier"),
    f"{_ACCOUNT}kube-system:cloud-controller-manager": (
        "system:cloud-controller-manager",
        "system:cloud-controller-manager",
    ),
    f"{_ACCOUNT}kube-system:coredns": ("system:coredns", "system:coredns"),
}
"""The binding and the role that give a subject its rules; a controller's are called after it."""
_HEALTH = ("/healthz", "/livez", "/readyz", "/version", "/version/")
_ALL_PATHS = (PathRule(("*",), ("*",)),)
_PATH_RULES: dict[str, tuple[PathRule, ...]] = {
    MASTERS: _ALL_PATHS,
    "kubeadm:cluster-admins": _ALL_PATHS,
    "system:authenticated": (
        PathRule(("get",), ("/api", "/api/*", "/apis", "/apis/*", "/openapi", "/openapi/*", *_HEALTH)),
    ),
    "system:unauthenticated": (PathRule(("get",), _HEALTH),),
}


def _allows(subject: str, asked: Access) -> bool:
    if asked.resource:
        return any(rule.allows(asked) for rule in _RULES.get(subject, ()))
    return any(rule.allows(asked) for rule in _PATH_RULES.get(subject, ()))


@lru_cache(maxsize=1024)
def _allowed(kind: str, subject: str, path: str) -> Decision:
    """With the reason that upstream's default binding gives; ``path`` is of what is no resource."""
    if subject.startswith(_ACCOUNT):
        kind, (namespace, _, name) = "ServiceAccount", subject.removeprefix(_ACCOUNT).partition(":")
        binding, role = _BINDINGS.get(subject, (f"system:controller:{name}", f"system:controller:{name}"))
        subject = f"{name}/{namespace}"
    elif subject in _HELD_BY_ALL:
        role = "system:basic-user"
        if path:
            role = "system:public-info-viewer" if path in _HEALTH else "system:discovery"
        binding = role
    else:
        binding, role = _BINDINGS[subject]
    reason = f'RBAC: allowed by ClusterRoleBinding "{binding}" of ClusterRole "{role}" to {kind} "{subject}"'
    return ALLOW._replace(reason=reason)


class BootstrapPolicy:
    """The last link: what the tables give to the user's groups and to the user."""

    def decide(self, asked: Access) -> Decision:
        """Allow or no opinion."""
        for group in asked.user.groups:
            if _allows(group, asked):
                return _allowed("Group", group, asked.path)
        if _allows(asked.user.username, asked):
            return _allowed("User", asked.user.username, asked.path)
        return NO_OPINION

    def rules(self, user: UserInfo, namespace: str) -> Rules:
        """All of them."""
        subjects = (*user.groups, user.username)
        return Rules(
            tuple(rule for subject in subjects for rule in _RULES.get(subject, ())),
            tuple(rule for subject in subjects for rule in _PATH_RULES.get(subject, ())),
        )
