"""The roles and bindings that a cluster is born with, as objects: upstream's, kubeadm's, and a cloud's.

The tables are in `roles.py` (people, components, everybody), `controllers.py` and `kubeadm.py`, in few words. They may
be changed and deleted like any other object, and count from then on as they are. Upstream's API server makes its own
again when it starts; here none is made again.
"""

from __future__ import annotations

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.sim import INSTALLATION_SEED, Chance

from . import cloud, kubeadm, roles
from .controllers import CONTROLLERS
from .rules import RBAC, Rules

_V1 = f"{RBAC}/v1"
_CONTROLLER = "system:controller:"
_LABELS = {"kubernetes.io/bootstrapping": "rbac-defaults"}
_ANNOTATIONS = {"rbac.authorization.kubernetes.io/autoupdate": "true"}
_GATHERS = f"{RBAC}/aggregate-to-"


def bootstrap_objects(now: str, with_cloud: bool) -> dict[str, dict[str, JSON]]:
    """All of them, made at ``now`` (RFC 3339): resource -> key -> object."""
    made = _Made(now)
    all_rules: dict[str, Rules] = {
        **roles.CLUSTER_ROLES,
        **{_CONTROLLER + name: rules for name, rules in CONTROLLERS.items()},
    }
    for name, rules in all_rules.items():
        made.role("kube-apiserver", name, rules)
    for name in roles.GATHERING:  # the last one gathers from those before it
        made.gathering(name)
    for name, subjects in roles.CLUSTER_ROLE_BINDINGS.items():
        made.binding("kube-apiserver", name, name, subjects)
    for name in CONTROLLERS:
        subjects = (f"ServiceAccount:kube-system/{name}",)
        made.binding("kube-apiserver", _CONTROLLER + name, _CONTROLLER + name, subjects)
    for key, rules in roles.ROLES.items():
        made.role("kube-apiserver", key, rules)
    for key, (role, subjects) in roles.ROLE_BINDINGS.items():
        made.binding("kube-apiserver", key, role, subjects)
    for key, rules in {**kubeadm.CLUSTER_ROLES, **kubeadm.ROLES}.items():
        made.role("kubeadm", key, rules)
    for key, (role, subjects) in {**kubeadm.CLUSTER_ROLE_BINDINGS, **kubeadm.ROLE_BINDINGS}.items():
        made.binding("kubeadm", key, role, subjects)
    if with_cloud:
        made.role("cloud", cloud.ROLE, cloud.RULES)
        made.binding("cloud", cloud.ROLE, cloud.ROLE, cloud.SUBJECTS)
    return made.objects


class _Made:
    """The objects so far. A key with a namespace is of a Role or RoleBinding, one without of the cluster's."""

    def __init__(self, now: str) -> None:
        self.objects: dict[str, dict[str, JSON]] = {}
        self._now = now
        self._chance = Chance(INSTALLATION_SEED)

    def role(self, manager: str, key: str, rules: Rules) -> None:
        self._add(manager, "Role", key, {"rules": [rule.as_dict() for rule in rules]})

    def gathering(self, name: str) -> None:
        """A role with what the others have that it gathers, as the aggregation controller leaves it."""
        selector = {"matchLabels": {_GATHERS + name: "true"}}
        rule: JSON = {"clusterRoleSelectors": [selector]}
        known = self.objects[f"clusterroles.{RBAC}"]
        gathered: list[JSON] = []
        for other in sorted(known):
            if roles.GATHERED.get(other) == name:
                gathered += [each for each in known[other]["rules"] if each not in gathered]
        self._add("kube-apiserver", "Role", name, {"aggregationRule": rule, "rules": gathered})

    def binding(self, manager: str, key: str, role: str, subjects: tuple[str, ...]) -> None:
        """To a cluster's role, or to one of the key's namespace."""
        kind = "Role" if "/" in key else "ClusterRole"
        fields: JSON = {"roleRef": {"apiGroup": RBAC, "kind": kind, "name": role}}
        if subjects:
            fields["subjects"] = [_subject(subject) for subject in subjects]
        self._add(manager, "RoleBinding", key, fields)

    def _add(self, manager: str, kind: str, key: str, fields: JSON) -> None:
        namespace, _, name = key.rpartition("/")
        kind = kind if namespace else f"Cluster{kind}"
        resource = f"{kind.lower()}s.{RBAC}"
        meta: JSON = {"name": name, **({"namespace": namespace} if namespace else {})}
        if manager == "kube-apiserver":
            gatherer = roles.GATHERED.get(key)
            meta["labels"] = {**_LABELS, **({_GATHERS + gatherer: "true"} if gatherer else {})}
            meta["annotations"] = _ANNOTATIONS
        owned = _owned(meta, fields)
        rules = {"f:rules": owned.pop("f:rules")} if "aggregationRule" in fields else None
        entries = [self._entry(manager, owned)]
        if rules:
            entries.append(self._entry("kube-controller-manager", rules))
        meta |= {
            "creationTimestamp": self._now,
            "uid": self._chance.uid("uid", resource, key, 0),
            "managedFields": entries,
            "resourceVersion": "1",
        }
        made = {"apiVersion": _V1, "kind": kind, "metadata": meta, **fields}
        self.objects.setdefault(resource, {})[key] = made

    def _entry(self, manager: str, owned: JSON) -> JSON:
        return {
            "manager": manager,
            "operation": "Update",
            "apiVersion": _V1,
            "time": self._now,
            "fieldsType": "FieldsV1",
            "fieldsV1": owned,
        }


def _subject(named: str) -> JSON:
    """``kind:name`` as a subject; a service account's name is ``namespace/name``."""
    kind, _, name = named.partition(":")
    if kind == "ServiceAccount":
        namespace, _, name = name.partition("/")
        return {"kind": kind, "name": name, "namespace": namespace}
    return {"apiGroup": RBAC, "kind": kind, "name": name}


def _owned(meta: JSON, fields: JSON) -> JSON:
    """The fields of such an object that whoever made it owns."""
    parts: JSON = {
        f"f:{part}": {".": {}, **{f"f:{key}": {} for key in sorted(meta[part])}}
        for part in ("annotations", "labels")
        if part in meta
    }
    owned: JSON = {f"f:{name}": {} for name in fields}
    if "aggregationRule" in fields:
        owned["f:aggregationRule"] = {".": {}, "f:clusterRoleSelectors": {}}
    if parts:
        owned["f:metadata"] = parts
    return dict(sorted(owned.items()))
