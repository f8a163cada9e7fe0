"""LimitRanger: what containers do not say is filled in, and what is out of a namespace's ranges is refused.

Models plugin/pkg/admission/limitranger.
"""

from __future__ import annotations

from cluster_engine.apimachinery import errors, quantity
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.component_helpers.quota import resources_of

from .plugin import CREATE, UPDATE, Attributes, Plugin

_RANGES = "limitranges"
_ANNOTATION = "kubernetes.io/limit-ranger"
_CONTAINERS = ("containers", "initContainers")
Amounts = dict[str, str]


class LimitRanger(Plugin):
    """Default requests and limits of Pods; bounds of Pods, their containers and of claims."""

    name = "LimitRanger"
    needs = _RANGES
    operations = (CREATE, UPDATE)
    resources = ("pods", "persistentvolumeclaims")
    subresources = True
    mutates = True
    validates = True

    def admit(self, attributes: Attributes, obj: JSON) -> JSON:
        if attributes.operation != CREATE or attributes.resource != "pods" or attributes.subresource:
            return obj
        for limits in attributes.store.range(_RANGES, attributes.namespace):
            obj = _with_defaults(obj, limits)
        return obj

    def validate(self, attributes: Attributes) -> None:
        # A Pod's containers change through its subresource resize alone; a claim's request by an update too.
        is_pod, obj = attributes.resource == "pods", attributes.obj
        if obj is None or attributes.subresource not in ("", "resize"):
            return
        if is_pod and attributes.operation == UPDATE and not attributes.subresource:
            return
        problems = _pod_problems if is_pod else _claim_problems
        for limits in attributes.store.range(_RANGES, attributes.namespace):
            found = problems(obj, (limits.get("spec") or {}).get("limits") or [])
            if found:
                unique = list(dict.fromkeys(found))
                text = unique[0] if len(unique) == 1 else f"[{', '.join(unique)}]"
                raise errors.forbidden(attributes.resource, attributes.name, text)


def _with_defaults(pod: JSON, limits: JSON) -> JSON:
    """The Pod with what one LimitRange fills in, and an annotation that says what (mergePodResourceRequirements)."""
    requests: Amounts = {}
    upper: Amounts = {}
    for item in (limits.get("spec") or {}).get("limits") or ():
        if item.get("type") == "Container":
            requests |= item.get("defaultRequest") or {}
            upper |= item.get("default") or {}
    if not requests and not upper:
        return pod
    told: list[str] = []
    spec = dict(pod.get("spec") or {})
    for part in _CONTAINERS:
        if spec.get(part):
            words = "container" if part == "containers" else "init container"
            spec[part] = [_filled(container, requests, upper, told, words) for container in spec[part]]
    if not told:
        return pod
    meta = pod["metadata"]
    annotations = {
        **(meta.get("annotations") or {}),
        _ANNOTATION: f"LimitRanger plugin set: {'; '.join(told)}",
    }
    return {**pod, "metadata": {**meta, "annotations": annotations}, "spec": spec}


def _filled(container: JSON, requests: Amounts, limits: Amounts, told: list[str], words: str) -> JSON:
    resources = container.get("resources") or {}
    new = dict(resources)
    for part, defaults, name in (("requests", requests, "request"), ("limits", limits, "limit")):
        given = resources.get(part) or {}
        missing = sorted(resource for resource in defaults if resource not in given)
        if missing:
            new[part] = {**given, **{resource: defaults[resource] for resource in missing}}
            told.append(f"{', '.join(missing)} {name} for {words} {container.get('name', '')}")
    return {**container, "resources": new} if new != resources else container


def _pod_problems(pod: JSON, items: list[JSON]) -> list[str]:
    spec = pod.get("spec") or {}
    problems: list[str] = []
    for item in items:
        if item.get("type") == "Container":
            for container in (c for part in _CONTAINERS for c in spec.get(part) or ()):
                resources = container.get("resources") or {}
                problems += _beyond(item, resources.get("requests") or {}, resources.get("limits") or {})
        elif item.get("type") == "Pod":
            problems += _beyond(item, resources_of(spec, "requests"), resources_of(spec, "limits"))
    return problems


def _claim_problems(claim: JSON, items: list[JSON]) -> list[str]:
    requests = ((claim.get("spec") or {}).get("resources") or {}).get("requests") or {}
    problems: list[str] = []
    for item in items:
        if item.get("type") == "PersistentVolumeClaim":
            for name, least in (item.get("min") or {}).items():
                problems += _below(item, name, least, requests, {})
            for name, most in (item.get("max") or {}).items():
                # Claims have no limits: the request counts.
                problems += _above(item, name, most, {}, requests, "request")
    return problems


def _beyond(item: JSON, requests: Amounts, limits: Amounts) -> list[str]:
    problems: list[str] = []
    for name, least in (item.get("min") or {}).items():
        problems += _below(item, name, least, requests, limits)
    for name, most in (item.get("max") or {}).items():
        problems += _above(item, name, most, requests, limits)
    for name, ratio in (item.get("maxLimitRequestRatio") or {}).items():
        problems += _steep(item, name, ratio, requests, limits)
    return problems


def _below(item: JSON, name: str, least: str, requests: Amounts, limits: Amounts) -> list[str]:
    words = f"minimum {name} usage per {item['type']} is {least}"
    if name not in requests:
        return [f"{words}.  No request is specified"]
    if quantity.compare(requests[name], least) < 0:
        return [f"{words}, but request is {requests[name]}"]
    if name in limits and quantity.compare(limits[name], least) < 0:
        return [f"{words}, but limit is {limits[name]}"]
    return []


def _above(
    item: JSON, name: str, most: str, requests: Amounts, limits: Amounts, called: str = "limit"
) -> list[str]:
    words = f"maximum {name} usage per {item['type']} is {most}"
    if name not in limits:
        return [f"{words}.  No {called} is specified"]
    if quantity.compare(limits[name], most) > 0:
        return [f"{words}, but {called} is {limits[name]}"]
    if name in requests and quantity.compare(requests[name], most) > 0:
        return [f"{words}, but request is {requests[name]}"]
    return []


def _steep(item: JSON, name: str, ratio: str, requests: Amounts, limits: Amounts) -> list[str]:
    words = f"{name} max limit to request ratio per {item['type']} is {ratio}"
    if not quantity.parse(requests.get(name, "0")):
        return [f"{words}, but no request is specified or request is 0"]
    if not quantity.parse(limits.get(name, "0")):
        return [f"{words}, but no limit is specified or limit is 0"]
    steep = quantity.parse(limits[name]) / quantity.parse(requests[name])
    if steep > quantity.parse(ratio):
        return [f"{words}, but provided ratio is {float(steep):f}"]
    return []
