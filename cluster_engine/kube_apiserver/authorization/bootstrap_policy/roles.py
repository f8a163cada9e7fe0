"""The cluster roles of people, components and everybody, who has them, and the roles of kube-system and kube-public.

Models plugin/pkg/auth/authorizer/rbac/bootstrappolicy/{policy,namespace_policy}.go, without resource.k8s.io.
"""

from __future__ import annotations

from ..interface import PathRule, Rule
from ..privileged_groups import MASTERS
from .rules import (
    AUTHENTICATION,
    AUTHORIZATION,
    COORDINATION,
    DISCOVERY,
    EVENTS,
    FOLLOW,
    LEGACY_APPS,
    NETWORKING,
    RBAC,
    READ,
    READ_WRITE,
    WRITE,
    Rules,
    apps,
    batch,
    certificates,
    core,
    named,
    of,
    paths,
    signers,
    storage,
)

_REVIEWS = (
    of(AUTHENTICATION, ("create",), "tokenreviews"),
    of(AUTHORIZATION, ("create",), "subjectaccessreviews"),
)
_HEALTH = ("/healthz", "/livez", "/readyz")
_VERSION = ("/version", "/version/")
_VIEW: Rules = (
    core(READ, "configmaps", "endpoints", "persistentvolumeclaims", "persistentvolumeclaims/status", "pods",
         "replicationcontrollers", "replicationcontrollers/scale", "serviceaccounts", "services", "services/status"),
    core(READ, "bindings", "events", "limitranges", "namespaces/status", "pods/log", "pods/status",
         "replicationcontrollers/status", "resourcequotas", "resourcequotas/status"),
    core(READ, "namespaces"),
    of(DISCOVERY, READ, "endpointslices"),
    apps(READ, "controllerrevisions", "daemonsets", "daemonsets/status", "deployments", "deployments/scale",
         "deployments/status", "replicasets", "replicasets/scale", "replicasets/status", "statefulsets",
         "statefulsets/scale", "statefulsets/status"),
    of("autoscaling", READ, "horizontalpodautoscalers", "horizontalpodautoscalers/status"),
    batch(READ, "cronjobs", "cronjobs/status", "jobs", "jobs/status"),
    of("extensions", READ, "daemonsets", "daemonsets/status", "deployments", "deployments/scale",
       "deployments/status", "ingresses", "ingresses/status", "networkpolicies", "replicasets", "replicasets/scale",
       "replicasets/status", "replicationcontrollers/scale"),
    of("policy", READ, "poddisruptionbudgets", "poddisruptionbudgets/status"),
    of(NETWORKING, READ, "ingresses", "ingresses/status", "networkpolicies"),
)  # fmt: skip
_EDIT: Rules = (
    core(READ, "pods/attach", "pods/exec", "pods/portforward", "pods/proxy", "secrets", "services/proxy"),
    core(("impersonate",), "serviceaccounts"),
    core(WRITE, "pods", "pods/attach", "pods/exec", "pods/portforward", "pods/proxy"),
    core(("create",), "pods/eviction"),
    core(WRITE, "configmaps", "events", "persistentvolumeclaims", "replicationcontrollers",
         "replicationcontrollers/scale", "secrets", "serviceaccounts", "services", "services/proxy"),
    core(("create",), "serviceaccounts/token"),
    apps(WRITE, "daemonsets", "deployments", "deployments/rollback", "deployments/scale", "replicasets",
         "replicasets/scale", "statefulsets", "statefulsets/scale"),
    of("autoscaling", WRITE, "horizontalpodautoscalers"),
    batch(WRITE, "cronjobs", "jobs"),
    of("extensions", WRITE, "daemonsets", "deployments", "deployments/rollback", "deployments/scale", "ingresses",
       "networkpolicies", "replicasets", "replicasets/scale", "replicationcontrollers/scale"),
    of("policy", WRITE, "poddisruptionbudgets"),
    of(NETWORKING, WRITE, "ingresses", "networkpolicies"),
    of(COORDINATION, READ_WRITE, "leases"),
)  # fmt: skip
_ADMIN: Rules = (
    of(AUTHORIZATION, ("create",), "localsubjectaccessreviews"),
    of(RBAC, READ_WRITE, "rolebindings", "roles"),
)
NODE_RULES: tuple[Rule, ...] = (
    of(AUTHENTICATION, ("create",), "tokenreviews"),
    of(AUTHORIZATION, ("create",), "localsubjectaccessreviews", "subjectaccessreviews"),
    core(READ, "services"),
    core(("create", *READ), "nodes"),
    core(("patch", "update"), "nodes/status"),
    core(("patch", "update"), "nodes"),
    EVENTS,
    core(READ, "pods"),
    core(("create", "delete"), "pods"),
    core(("patch", "update"), "pods/status"),
    core(("create",), "pods/eviction"),
    core(READ, "configmaps", "secrets"),
    core(("get",), "persistentvolumeclaims", "persistentvolumes"),
    core(("get",), "endpoints"),
    certificates(("create", *READ), "certificatesigningrequests"),
    of(COORDINATION, ("create", "delete", "get", "patch", "update"), "leases"),
    storage(("get",), "volumeattachments"),
    core(("create",), "serviceaccounts/token"),
    core(("get", "patch", "update"), "persistentvolumeclaims/status"),
    storage(READ, "csidrivers"),
    storage(("create", "delete", "get", "patch", "update"), "csinodes"),
    of("node.k8s.io", READ, "runtimeclasses"),
    certificates(READ, "clustertrustbundles"),
    certificates(("create", *READ), "podcertificaterequests"),
)
"""Of nodes (NodeRules); the node authorizer looks at most of it more closely."""

CLUSTER_ROLES: dict[str, Rules] = {
    "cluster-admin": (Rule(("*",), ("*",), ("*",)), PathRule(("*",), ("*",))),
    "system:aggregate-to-admin": _ADMIN,
    "system:aggregate-to-edit": _EDIT,
    "system:aggregate-to-view": _VIEW,
    "system:auth-delegator": _REVIEWS,
    "system:basic-user": (
        of(AUTHORIZATION, ("create",), "selfsubjectaccessreviews", "selfsubjectrulesreviews"),
        of(AUTHENTICATION, ("create",), "selfsubjectreviews"),
    ),
    "system:certificates.k8s.io:certificatesigningrequests:nodeclient": (
        certificates(("create",), "certificatesigningrequests/nodeclient"),
    ),
    "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient": (
        certificates(("create",), "certificatesigningrequests/selfnodeclient"),
    ),
    "system:certificates.k8s.io:kube-apiserver-client-approver": (signers("approve", "kube-apiserver-client"),),
    "system:certificates.k8s.io:kube-apiserver-client-kubelet-approver": (
        signers("approve", "kube-apiserver-client-kubelet"),
    ),
    "system:certificates.k8s.io:kubelet-serving-approver": (signers("approve", "kubelet-serving"),),
    "system:certificates.k8s.io:legacy-unknown-approver": (signers("approve", "legacy-unknown"),),
    "system:cluster-trust-bundle-discovery": (certificates(READ, "clustertrustbundles"),),
    "system:discovery": (
        paths("/api", "/api/*", "/apis", "/apis/*", _HEALTH[0], _HEALTH[1], "/openapi", "/openapi/*", _HEALTH[2],
              *_VERSION),
    ),
    "system:heapster": (core(READ, "events", "namespaces", "nodes", "pods"), of("extensions", READ, "deployments")),
    "system:kube-aggregator": (core(READ, "endpoints", "services"),),
    "system:kube-controller-manager": (
        EVENTS,
        of(COORDINATION, ("create",), "leases"),
        named(COORDINATION, ("get", "update"), "leases", "kube-controller-manager"),
        core(("create",), "secrets", "serviceaccounts"),
        core(("delete",), "secrets"),
        core(("get",), "configmaps", "namespaces", "secrets", "serviceaccounts"),
        core(("update",), "secrets", "serviceaccounts"),
        *_REVIEWS,
        of("*", FOLLOW, "*"),
        core(("create",), "serviceaccounts/token"),
    ),
    "system:kube-dns": (core(FOLLOW, "endpoints", "services"),),
    "system:kube-scheduler": (
        EVENTS,
        of(COORDINATION, ("create",), "leases"),
        named(COORDINATION, (*READ, "update"), "leases", "kube-scheduler"),
        core(READ, "nodes"),
        core(("delete", *READ), "pods"),
        core(("create",), "bindings", "pods/binding"),
        core(("patch", "update"), "pods/status"),
        core(READ, "replicationcontrollers", "services"),
        Rule(READ, LEGACY_APPS, ("replicasets",)),
        apps(READ, "statefulsets"),
        of("policy", READ, "poddisruptionbudgets"),
        core(READ, "persistentvolumeclaims", "persistentvolumes"),
        *_REVIEWS,
        storage(READ, "csinodes"),
        core(READ, "namespaces"),
        storage(READ, "csidrivers"),
        storage(READ, "csistoragecapacities"),
    ),
    "system:kubelet-api-admin": (
        core(READ, "nodes"),
        core(("proxy",), "nodes"),
        core(("*",), "nodes/configz", "nodes/healthz", "nodes/log", "nodes/metrics", "nodes/pods", "nodes/proxy",
             "nodes/stats"),
    ),
    "system:monitoring": (
        paths("/healthz", "/healthz/*", "/livez", "/livez/*", "/metrics", "/metrics/slis", "/readyz", "/readyz/*"),
    ),
    "system:node": NODE_RULES,
    "system:node-bootstrapper": (certificates(("create", *READ), "certificatesigningrequests"),),
    "system:node-problem-detector": (core(("get",), "nodes"), core(("patch",), "nodes/status"), EVENTS),
    "system:node-proxier": (
        core(FOLLOW, "endpoints", "services"),
        core(READ, "nodes"),
        EVENTS,
        of(DISCOVERY, FOLLOW, "endpointslices"),
        of(NETWORKING, FOLLOW, "servicecidrs"),
    ),
    "system:persistent-volume-provisioner": (
        core(("create", "delete", *READ), "persistentvolumes"),
        core((*READ, "update"), "persistentvolumeclaims"),
        storage(READ, "storageclasses"),
        core(("watch",), "events"),
        EVENTS,
    ),
    "system:public-info-viewer": (paths(*_HEALTH, *_VERSION),),
    "system:service-account-issuer-discovery": (paths("/.well-known/openid-configuration", "/openid/v1/jwks"),),
    "system:volume-scheduler": (
        core((*READ, "patch", "update"), "persistentvolumes"),
        storage(READ, "storageclasses"),
        core((*READ, "patch", "update"), "persistentvolumeclaims"),
    ),
}  # fmt: skip
"""Name -> its rules."""

GATHERED: dict[str, str] = {
    "admin": "",
    "edit": "admin",
    "view": "edit",
    "system:aggregate-to-admin": "admin",
    "system:aggregate-to-edit": "edit",
    "system:aggregate-to-view": "view",
}
"""Cluster role -> the one that gathers its rules; admin, edit and view have no others than those that they gather."""

GATHERING = ("view", "edit", "admin")
"""The cluster roles that gather, each after those that it gathers."""

_EVERYBODY = ("Group:system:authenticated", "Group:system:unauthenticated")
CLUSTER_ROLE_BINDINGS: dict[str, tuple[str, ...]] = {
    "cluster-admin": (f"Group:{MASTERS}",),
    "system:basic-user": _EVERYBODY[:1],
    "system:cluster-trust-bundle-discovery": ("Group:system:serviceaccounts",),
    "system:discovery": _EVERYBODY[:1],
    "system:kube-controller-manager": ("User:system:kube-controller-manager",),
    "system:kube-dns": ("ServiceAccount:kube-system/kube-dns",),
    "system:kube-scheduler": ("User:system:kube-scheduler",),
    "system:monitoring": ("Group:system:monitoring",),
    "system:node": (),
    "system:node-proxier": ("User:system:kube-proxy",),
    "system:public-info-viewer": _EVERYBODY,
    "system:service-account-issuer-discovery": ("Group:system:serviceaccounts",),
    "system:volume-scheduler": ("User:system:kube-scheduler",),
}
"""Cluster role -> those who have it, as ``kind:name``; the binding has the role's name."""

_CONFIG_MAPS = core(READ, "configmaps")
ROLES: dict[str, Rules] = {
    "kube-public/system:controller:bootstrap-signer": (
        _CONFIG_MAPS,
        named("", ("update",), "configmaps", "cluster-info"),
        EVENTS,
    ),
    "kube-system/extension-apiserver-authentication-reader": (
        named("", READ, "configmaps", "extension-apiserver-authentication"),
    ),
    "kube-system/system::leader-locking-kube-controller-manager": (
        core(("watch",), "configmaps"),
        named("", ("get", "update"), "configmaps", "kube-controller-manager"),
    ),
    "kube-system/system::leader-locking-kube-scheduler": (
        core(("watch",), "configmaps"),
        named("", ("get", "update"), "configmaps", "kube-scheduler"),
    ),
    "kube-system/system:controller:bootstrap-signer": (core(READ, "secrets"),),
    "kube-system/system:controller:cloud-provider": (core(("create", *READ), "configmaps"),),
    "kube-system/system:controller:token-cleaner": (core((*READ, "delete"), "secrets"), EVENTS),
}
"""namespace/name -> its rules."""

_SIGNER = ("ServiceAccount:kube-system/bootstrap-signer",)
ROLE_BINDINGS: dict[str, tuple[str, tuple[str, ...]]] = {
    "kube-public/system:controller:bootstrap-signer": ("system:controller:bootstrap-signer", _SIGNER),
    "kube-system/system::extension-apiserver-authentication-reader": (
        "extension-apiserver-authentication-reader",
        ("User:system:kube-controller-manager", "User:system:kube-scheduler"),
    ),
    "kube-system/system::leader-locking-kube-controller-manager": (
        "system::leader-locking-kube-controller-manager",
        ("User:system:kube-controller-manager", "ServiceAccount:kube-system/kube-controller-manager"),
    ),
    "kube-system/system::leader-locking-kube-scheduler": (
        "system::leader-locking-kube-scheduler",
        ("User:system:kube-scheduler", "ServiceAccount:kube-system/kube-scheduler"),
    ),
    "kube-system/system:controller:bootstrap-signer": ("system:controller:bootstrap-signer", _SIGNER),
    "kube-system/system:controller:cloud-provider": (
        "system:controller:cloud-provider",
        ("ServiceAccount:kube-system/cloud-provider",),
    ),
    "kube-system/system:controller:token-cleaner": (
        "system:controller:token-cleaner",
        ("ServiceAccount:kube-system/token-cleaner",),
    ),
}
"""namespace/name -> (role, those who have it)."""
