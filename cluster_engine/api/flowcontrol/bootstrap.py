"""The FlowSchemas and PriorityLevelConfigurations that an API server makes for itself, as data.

Models k8s.io/apiserver/pkg/apis/flowcontrol/bootstrap/default.go: the mandatory ones first, then the suggested ones.
They stand from the first moment (`kube_apiserver/standing.py`), and are made good (`controlplane/flow_control.py`).
"""

from __future__ import annotations

from cluster_engine.apimachinery.cow import JSON

LEVELS: dict[str, tuple[int, int, tuple[int, int, int] | None] | None] = {
    "exempt": None,
    "catch-all": (5, 0, None),
    "system": (30, 33, (64, 6, 50)),
    "node-high": (40, 25, (64, 6, 50)),
    "leader-election": (10, 0, (16, 4, 50)),
    "workload-high": (40, 50, (128, 6, 50)),
    "workload-low": (100, 90, (128, 6, 50)),
    "global-default": (20, 50, (128, 6, 50)),
}
"""Shares, percentage that may be lent, and queues, hand size and length of a queue (None: refuses what is too much)."""


def _groups(*names: str) -> list[JSON]:
    return [{"kind": "Group", "group": {"name": name}} for name in names]


def _users(*names: str) -> list[JSON]:
    return [{"kind": "User", "user": {"name": name}} for name in names]


def _accounts(*names: str) -> list[JSON]:
    accounts = [{"name": name, "namespace": "kube-system"} for name in names]
    return [{"kind": "ServiceAccount", "serviceAccount": account} for account in accounts]


def _resources(verbs: list[str], group: str, resources: list[str], cluster: bool = False) -> JSON:
    rule: JSON = {"apiGroups": [group], "namespaces": ["*"], "resources": resources, "verbs": verbs}
    return {"clusterScope": True, **rule} if cluster else rule


_EVERYTHING: JSON = {
    "resourceRules": [_resources(["*"], "*", ["*"], cluster=True)],
    "nonResourceRules": [{"nonResourceURLs": ["*"], "verbs": ["*"]}],
}
_PROBED: JSON = {
    "nonResourceRules": [{"nonResourceURLs": ["/healthz", "/readyz", "/livez"], "verbs": ["get"]}]
}
_NODES: JSON = {
    "resourceRules": [
        _resources(["*"], "", ["nodes", "nodes/status"], cluster=True),
        _resources(["*"], "coordination.k8s.io", ["leases"]),
    ]
}
_USE = ["get", "create", "update"]
_LEASES: JSON = {"resourceRules": [_resources(_USE, "coordination.k8s.io", ["leases"])]}
_ENDPOINTS: JSON = {"resourceRules": [_resources(_USE, "", ["endpoints"])]}
_MANAGER, _SCHEDULER = "system:kube-controller-manager", "system:kube-scheduler"
_ALL = _groups("system:unauthenticated", "system:authenticated")
_BY_USER, _BY_NAMESPACE = "ByUser", "ByNamespace"

SCHEMAS: dict[str, tuple[str, int, str, list[JSON], JSON]] = {
    "exempt": ("exempt", 1, "", _groups("system:masters"), _EVERYTHING),
    "catch-all": ("catch-all", 10_000, _BY_USER, _ALL, _EVERYTHING),
    "system-nodes": ("system", 500, _BY_USER, _groups("system:nodes"), _EVERYTHING),
    "system-node-high": ("node-high", 400, _BY_USER, _groups("system:nodes"), _NODES),
    "probes": ("exempt", 2, "", _ALL, _PROBED),
    "system-leader-election": (
        "leader-election",
        100,
        _BY_USER,
        [*_users(_MANAGER, _SCHEDULER), *_accounts("*")],
        _LEASES,
    ),
    "workload-leader-election": ("leader-election", 200, _BY_USER, _accounts("*"), _LEASES),
    "endpoint-controller": (
        "workload-high",
        150,
        _BY_USER,
        [*_users(_MANAGER), *_accounts("endpoint-controller", "endpointslicemirroring-controller")],
        _ENDPOINTS,
    ),
    "kube-controller-manager": ("workload-high", 800, _BY_NAMESPACE, _users(_MANAGER), _EVERYTHING),
    "kube-scheduler": ("workload-high", 800, _BY_NAMESPACE, _users(_SCHEDULER), _EVERYTHING),
    "kube-system-service-accounts": ("workload-high", 900, _BY_NAMESPACE, _accounts("*"), _EVERYTHING),
    "service-accounts": ("workload-low", 9_000, _BY_USER, _groups("system:serviceaccounts"), _EVERYTHING),
    "global-default": ("global-default", 9_900, _BY_USER, _ALL, _EVERYTHING),
}
"""Level, precedence, what tells flows apart, whose requests, and which."""

AUTO_UPDATE = "apf.kubernetes.io/autoupdate-spec"
"""The annotation by which the API server keeps a spec as it is here."""
MANDATORY = ("exempt", "catch-all")
"""Of either kind: these may not be other ones; the rest is suggested."""
EXEMPT = "exempt"
"""The level of which what is lent may be changed."""


def schema_spec(name: str) -> JSON:
    """The spec of a FlowSchema of the API server."""
    level, precedence, method, subjects, rules = SCHEMAS[name]
    return {
        **({"distinguisherMethod": {"type": method}} if method else {}),
        "matchingPrecedence": precedence,
        "priorityLevelConfiguration": {"name": level},
        "rules": [{**rules, "subjects": subjects}],
    }


def level_spec(name: str) -> JSON:
    """The spec of a PriorityLevelConfiguration of the API server."""
    limits = LEVELS[name]
    if limits is None:
        return {"exempt": {"lendablePercent": 0, "nominalConcurrencyShares": 0}, "type": "Exempt"}
    shares, lendable, queues = limits
    response: JSON = {"type": "Reject"}
    if queues is not None:
        queuing = dict(zip(("queues", "handSize", "queueLengthLimit"), queues, strict=True))
        response = {"queuing": queuing, "type": "Queue"}
    limited = {"lendablePercent": lendable, "limitResponse": response, "nominalConcurrencyShares": shares}
    return {"limited": limited, "type": "Limited"}


def is_level_spec(name: str, spec: JSON) -> bool:
    """Whether a level has the spec that the API server gives it (plcSpecEqual)."""
    wanted = level_spec(name)
    if name == EXEMPT and spec.get("exempt") is not None:
        wanted = {**wanted, "exempt": spec["exempt"]}
    return bool(spec == wanted)


def dangling(level: str, exists: bool) -> JSON:
    """The condition of a FlowSchema that names this level, but for its time."""
    told = f'This FlowSchema references the PriorityLevelConfiguration object named "{level}"'
    if exists:
        return {"message": f"{told} and it exists", "reason": "Found", "status": "False", "type": "Dangling"}
    return {
        "message": f"{told} but there is no such object",
        "reason": "NotFound",
        "status": "True",
        "type": "Dangling",
    }
