"""What a ResourceQuota counts of an object, and which objects it concerns.

Amounts are quantities by resource name. Models k8s.io/apiserver/pkg/quota/v1 and pkg/quota/v1/evaluator/core.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from cluster_engine.apimachinery import quantity
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.sim import SECOND, parse_rfc3339

from .pod_phase import is_finished
from .qos import qos_class
from .storage import class_of

Usage = dict[str, str]

COUNT = "count/"
_PLAIN_COUNTS = frozenset(
    {
        "configmaps",
        "persistentvolumeclaims",
        "replicationcontrollers",
        "resourcequotas",
        "secrets",
        "services",
    }
)
_COMPUTE = ("cpu", "memory", "ephemeral-storage")
_HUGE = "hugepages-"
_EXPLICIT = ("cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory")
"""What every container must say of itself where a quota counts it."""
_POD_NAMES = frozenset(
    {
        "pods",
        "count/pods",
        *_COMPUTE,
        *(f"{part}.{name}" for part in ("requests", "limits") for name in _COMPUTE),
    }
)
_CLASS = ".storageclass.storage.k8s.io/"


# ---- what there is to count ------------------------------------------------------------------------------


def is_counted(pod: JSON, now: int) -> bool:
    """Whether a Pod uses more than its own entry: not when it has ended or its time to end is over (QuotaV1Pod)."""
    if is_finished(pod):
        return False
    meta = pod["metadata"]
    deletion, grace = meta.get("deletionTimestamp"), meta.get("deletionGracePeriodSeconds")
    return deletion is None or grace is None or now <= parse_rfc3339(deletion) + grace * SECOND


def _greatest(left: Usage, right: Usage) -> Usage:
    more = {
        name: amount for name, amount in right.items() if quantity.compare(amount, left.get(name, "0")) > 0
    }
    return {**left, **more}


def resources_of(spec: JSON, part: str) -> Usage:
    """A Pod's effective ``requests`` or ``limits``: its containers' sum, or an init container's when that is more."""

    def of(holder: JSON) -> Usage:
        return (holder.get("resources") or {}).get(part) or {}

    total, sidecars, init = Usage(), Usage(), Usage()
    for container in spec.get("containers") or ():
        total = add(total, of(container))
    for container in spec.get("initContainers") or ():
        if container.get("restartPolicy") == "Always":
            total, sidecars = add(total, of(container)), add(sidecars, of(container))
            init = _greatest(init, sidecars)
        else:
            init = _greatest(init, add(sidecars, of(container)))
    total = {**_greatest(total, init), **of(spec)}
    overhead = spec.get("overhead") or {}
    return add(total, {name: more for name, more in overhead.items() if part == "requests" or name in total})


def _compute_usage(requests: Usage, limits: Usage) -> Usage:
    usage = Usage()
    for name, amount in requests.items():
        if name in _COMPUTE or name.startswith(_HUGE):
            usage[name] = usage[f"requests.{name}"] = amount
        elif "/" in name:
            usage[f"requests.{name}"] = amount
    usage |= {f"limits.{name}": amount for name, amount in limits.items() if name in _COMPUTE}
    return usage


def _pod_usage(pod: JSON, now: int) -> Usage:
    usage = {"count/pods": "1"}
    if is_counted(pod, now):
        spec = pod.get("spec") or {}
        usage |= {"pods": "1", **_compute_usage(resources_of(spec, "requests"), resources_of(spec, "limits"))}
    return usage


def _service_usage(service: JSON) -> Usage:
    spec = service.get("spec") or {}
    ports, usage = spec.get("ports") or (), {"services": "1"}
    if spec.get("type") == "NodePort":
        usage["services.nodeports"] = str(len(ports))
    elif spec.get("type") == "LoadBalancer":
        given = spec.get("allocateLoadBalancerNodePorts") is False
        counted = sum(1 for port in ports if port.get("nodePort")) if given else len(ports)
        usage |= {"services.nodeports": str(counted), "services.loadbalancers": "1"}
    return usage


def _claim_usage(claim: JSON) -> Usage:
    spec = claim.get("spec") or {}
    usage = {"persistentvolumeclaims": "1"}
    storage_class = class_of(claim)
    prefixes = ["", f"{storage_class}{_CLASS}"] if storage_class else [""]
    if storage_class:
        usage[f"{storage_class}{_CLASS}persistentvolumeclaims"] = "1"
    wanted = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    if wanted is not None:
        had = ((claim.get("status") or {}).get("allocatedResources") or {}).get("storage", "0")
        amount = had if quantity.compare(had, wanted) > 0 else wanted
        usage |= {f"{prefix}requests.storage": amount for prefix in prefixes}
    return usage


def usage_of(resource: str, obj: JSON, now: int) -> Usage:
    """What one object of that group-resource uses at a virtual time (µs)."""
    if resource == "pods":
        return _pod_usage(obj, now)
    usage = {COUNT + resource: "1"}
    if resource == "services":
        usage |= _service_usage(obj)
    elif resource == "persistentvolumeclaims":
        usage |= _claim_usage(obj)
    elif resource in _PLAIN_COUNTS:
        usage[resource] = "1"
    return usage


def counts(resource: str, name: str) -> bool:
    """Whether objects of the group-resource can use the resource of that name (MatchingResources)."""
    if resource == "pods":
        return name in _POD_NAMES or name.startswith((_HUGE, "requests.hugepages-")) or _is_extended(name)
    if name == COUNT + resource or (name == resource and resource in _PLAIN_COUNTS):
        return True
    if resource == "services":
        return name in ("services.nodeports", "services.loadbalancers")
    return resource == "persistentvolumeclaims" and (name == "requests.storage" or _CLASS in name)


def _is_extended(name: str) -> bool:
    return name.startswith("requests.") and "/" in name and "kubernetes.io/" not in name


def resource_counted_by(name: str) -> str:
    """The group-resource whose objects use the resource of that name."""
    if name.startswith(COUNT):
        return name.removeprefix(COUNT)
    if name in _PLAIN_COUNTS:
        return name
    if name.startswith("services."):
        return "services"
    if name == "requests.storage" or _CLASS in name:
        return "persistentvolumeclaims"
    return "pods"


# ---- which quotas concern an object ----------------------------------------------------------------------


def _is_terminating(pod: JSON) -> bool:
    deadline = pod["spec"].get("activeDeadlineSeconds")
    return deadline is not None and deadline >= 0


def _asks_for_other_namespaces(pod: JSON) -> bool:
    affinity = pod["spec"].get("affinity") or {}
    for kind in ("podAffinity", "podAntiAffinity"):
        rules = affinity.get(kind) or {}
        terms = list(rules.get("requiredDuringSchedulingIgnoredDuringExecution") or ())
        preferred = rules.get("preferredDuringSchedulingIgnoredDuringExecution") or ()
        terms += [term["podAffinityTerm"] for term in preferred]
        if any(term.get("namespaces") or term.get("namespaceSelector") is not None for term in terms):
            return True
    return False


_POD_SCOPES: Mapping[str, Callable[[JSON], bool]] = {
    "Terminating": _is_terminating,
    "NotTerminating": lambda pod: not _is_terminating(pod),
    "BestEffort": lambda pod: qos_class(pod["spec"]) == "BestEffort",
    "NotBestEffort": lambda pod: qos_class(pod["spec"]) != "BestEffort",
    "CrossNamespacePodAffinity": _asks_for_other_namespaces,
}


def _classes_of_claim(claim: JSON) -> set[str]:
    """That which it asks for, that which it has, and that which it is on its way to."""
    spec, status = claim.get("spec") or {}, claim.get("status") or {}
    target = (status.get("modifyVolumeStatus") or {}).get("targetVolumeAttributesClassName")
    found = (spec.get("volumeAttributesClassName"), status.get("currentVolumeAttributesClassName"), target)
    return {name for name in found if name}


_NAMED: Mapping[tuple[str, str], Callable[[JSON], set[str]]] = {
    ("pods", "PriorityClass"): lambda pod: {pod["spec"].get("priorityClassName") or ""} - {""},
    ("persistentvolumeclaims", "VolumeAttributesClass"): _classes_of_claim,
}
"""Scopes that are the names of classes: those of an object."""


def _in_scope(resource: str, obj: JSON, term: JSON) -> bool:
    scope, operator = term["scopeName"], term.get("operator", "Exists")
    named = _NAMED.get((resource, scope))
    if named is not None:
        names, values = named(obj), term.get("values") or ()
        match operator:
            case "Exists":
                return bool(names)
            case "DoesNotExist":
                return not names
            case "In":
                return any(name in values for name in names)
        return not names or any(name not in values for name in names)
    return resource == "pods" and scope in _POD_SCOPES and _POD_SCOPES[scope](obj)


def concerns(quota: JSON, resource: str, obj: JSON) -> bool:
    """Whether the quota counts something of this object (Matches): by its resources and by its scopes."""
    hard = (quota.get("status") or {}).get("hard") or {}
    if not any(counts(resource, name) for name in hard):
        return False
    spec = quota.get("spec") or {}
    terms = [{"scopeName": scope} for scope in spec.get("scopes") or ()]
    terms += (spec.get("scopeSelector") or {}).get("matchExpressions") or ()
    return all(_in_scope(resource, obj, term) for term in terms)


def unsaid(pod: JSON, names: Iterable[str]) -> str:
    """What containers do not say although a quota counts it: "limits.cpu for: a,b; …" (Constraints)."""
    asked = [name for name in _EXPLICIT if name in names]
    spec = pod.get("spec") or {}
    missing: dict[str, list[str]] = {}
    for container in (*(spec.get("containers") or ()), *(spec.get("initContainers") or ())):
        resources = {**(container.get("resources") or {})}
        own = (spec.get("resources") or {}) if spec.get("resources") else {}
        said = _compute_usage(
            *(
                dict.fromkeys({**(own.get(part) or {}), **(resources.get(part) or {})}, "0")
                for part in ("requests", "limits")
            )
        )
        for name in asked:
            if name not in said:
                missing.setdefault(name, []).append(container.get("name", ""))
    return "; ".join(f"{name} for: {','.join(sorted(set(missing[name])))}" for name in sorted(missing))


# ---- sums ------------------------------------------------------------------------------------------------


def add(left: Usage, right: Usage) -> Usage:
    """The sum of two usages."""
    return quantity.add_resources(left, right)


def increase(new: Usage, old: Usage) -> Usage:
    """By how much ``new`` is more; what became less, or stayed, is left out."""
    return {
        name: quantity.sub(amount, old.get(name, "0"))
        for name, amount in new.items()
        if quantity.compare(amount, old.get(name, "0")) > 0
    }
