"""Warnings about a Pod's spec that is valid but hardly meant so.

Models pkg/api/pod/warnings.go and pkg/api/node/util.go.
"""

from __future__ import annotations

from collections.abc import Iterator

from cluster_engine.apimachinery import quantity
from cluster_engine.apimachinery.cow import JSON

_ANNOTATIONS = {
    "scheduler.alpha.kubernetes.io/critical-pod": (
        'non-functional in v1.16+; use the "priorityClassName" field instead'
    ),
    "security.alpha.kubernetes.io/sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
    "security.alpha.kubernetes.io/unsafe-sysctls": (
        'non-functional in v1.11+; use the "sysctls" field instead'
    ),
}
_NODE_LABELS = {
    "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
    "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
    "failure-domain.beta.kubernetes.io/region": (
        'deprecated since v1.17; use "topology.kubernetes.io/region" instead'
    ),
    "failure-domain.beta.kubernetes.io/zone": (
        'deprecated since v1.17; use "topology.kubernetes.io/zone" instead'
    ),
    "beta.kubernetes.io/instance-type": (
        'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead'
    ),
}
_VOLUMES = {
    "photonPersistentDisk": ("photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"),
    "gitRepo": ("gitRepo", "deprecated in v1.11, and disabled by default in v1.33+"),
    "scaleIO": ("scaleIO", "deprecated in v1.16, non-functional in v1.22+"),
    "flocker": ("flocker", "deprecated in v1.22, non-functional in v1.25+"),
    "storageos": ("storageOS", "deprecated in v1.22, non-functional in v1.25+"),
    "quobyte": ("quobyte", "deprecated in v1.22, non-functional in v1.25+"),
    "glusterfs": ("glusterfs", "deprecated in v1.25, non-functional in v1.26+"),
    "cephfs": ("cephfs", "deprecated in v1.28, non-functional in v1.31+"),
    "rbd": ("rbd", "deprecated in v1.28, non-functional in v1.31+"),
}
_SECCOMP_POD = "seccomp.security.alpha.kubernetes.io/pod"
_SECCOMP_CONTAINER = "container.seccomp.security.alpha.kubernetes.io/"
_SECCOMP = 'non-functional in v1.27+; use the "seccompProfile" field instead'
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


def template_warnings(template: JSON, path: str = "") -> list[str]:
    """Warnings about a template at `path`, or about a Pod when no path is given."""
    prefix = f"{path}." if path else ""
    spec, meta = template.get("spec") or {}, template.get("metadata") or {}
    at = f"{prefix}spec"
    annotations = meta.get("annotations") or {}
    out = list(_node_labels(spec, at))
    for key, text in _ANNOTATIONS.items():
        if key in annotations:
            out.append(f"{prefix}metadata.annotations[{key}]: {text}")
    for index, volume in enumerate(spec.get("volumes") or ()):
        for field, (name, text) in _VOLUMES.items():
            if volume.get(field) is not None:
                out.append(f"{at}.volumes[{index}].{name}: {text}")
    out += _repeated(spec.get("hostAliases"), "ip", f"{at}.hostAliases")
    out += _repeated(spec.get("imagePullSecrets"), "name", f"{at}.imagePullSecrets")
    for index, secret in enumerate(spec.get("imagePullSecrets") or ()):
        if not secret.get("name"):
            out.append(f'{at}.imagePullSecrets[{index}].name: invalid empty name ""')
    out += _fractions(spec.get("overhead"), f"{at}.overhead")
    if _SECCOMP_POD in annotations and not (spec.get("securityContext") or {}).get("seccompProfile"):
        out.append(f"{prefix}metadata.annotations[{_SECCOMP_POD}]: {_SECCOMP}")
    for container, where in _containers(spec, at):
        key = _SECCOMP_CONTAINER + (container.get("name") or "")
        if key in annotations and not (container.get("securityContext") or {}).get("seccompProfile"):
            out.append(f"{prefix}metadata.annotations[{key}]: {_SECCOMP}")
        resources = container.get("resources") or {}
        out += _fractions(resources.get("limits"), f"{where}.resources.limits")
        out += _fractions(resources.get("requests"), f"{where}.resources.requests")
        out += _hidden_env(container.get("env") or [], f"{where}.env")
    return out + _ports(spec, at)


def _containers(spec: JSON, path: str) -> Iterator[tuple[JSON, str]]:
    for field in ("initContainers", "containers", "ephemeralContainers"):
        for index, container in enumerate(spec.get(field) or ()):
            yield container, f"{path}.{field}[{index}]"


def _node_labels(spec: JSON, path: str) -> Iterator[str]:
    for key in spec.get("nodeSelector") or ():
        if key in _NODE_LABELS:
            yield f"{path}.nodeSelector[{key}]: {_NODE_LABELS[key]}"
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    where = f"{path}.affinity.nodeAffinity"
    for index, term in enumerate((affinity.get(_REQUIRED) or {}).get("nodeSelectorTerms") or ()):
        yield from _term_labels(term, f"{where}.{_REQUIRED}.nodeSelectorTerms[{index}]")
    for index, term in enumerate(affinity.get(_PREFERRED) or ()):
        yield from _term_labels(term.get("preference") or {}, f"{where}.{_PREFERRED}[{index}].preference")
    for index, constraint in enumerate(spec.get("topologySpreadConstraints") or ()):
        at = f"{path}.topologySpreadConstraints[{index}]"
        key = constraint.get("topologyKey")
        if key in _NODE_LABELS:
            yield f"{at}.topologyKey: {key} is {_NODE_LABELS[key]}"
        if constraint.get("labelSelector") is None:
            yield f"{at}.labelSelector: a null labelSelector results in matching no pod"


def _term_labels(term: JSON, path: str) -> Iterator[str]:
    for index, expression in enumerate(term.get("matchExpressions") or ()):
        key = expression.get("key")
        if key in _NODE_LABELS:
            yield f"{path}.matchExpressions[{index}].key: {key} is {_NODE_LABELS[key]}"


def _repeated(items: list[JSON] | None, field: str, path: str) -> list[str]:
    out, seen = [], set()
    for index, item in enumerate(items or ()):
        value = item.get(field) or ""
        if value in seen:
            out.append(f'{path}[{index}].{field}: duplicate {field} "{value}"')
        seen.add(value)
    return out


def _fractions(resources: JSON | None, path: str) -> list[str]:
    out = []
    for name in ("memory", "ephemeral-storage"):
        value = (resources or {}).get(name)
        if value is not None and quantity.parse(value).denominator != 1:
            out.append(f'{path}[{name}]: fractional byte value "{value}" is invalid, must be an integer')
    return out


def _hidden_env(env: list[JSON], path: str) -> list[str]:
    out, seen = [], set()
    for index, variable in enumerate(env):
        name, value = variable.get("name") or "", variable.get("value") or ""
        reference = f"$({name})"
        if name not in seen:
            seen.add(name)
        elif variable.get("valueFrom") is not None or value == reference or reference not in value:
            out.append(
                f'{path}[{index}]: hides previous definition of "{name}", '
                "which may be dropped when using apply"
            )
    return out


def _ports(spec: JSON, path: str) -> list[str]:
    out: list[str] = []
    taken: dict[tuple[int, str], list[tuple[str, JSON]]] = {}
    for container, where in _containers(spec, path):
        for index, port in enumerate(container.get("ports") or ()):
            at = f"{where}.ports[{index}]"
            host, address = port.get("hostPort") or 0, port.get("hostIP") or ""
            key = (port.get("containerPort") or 0, port.get("protocol") or "")
            for other_at, other in taken.get(key, ()):
                other_host, other_address = other.get("hostPort") or 0, other.get("hostIP") or ""
                if address == other_address and host == other_host:
                    out.append(f"{at}: duplicate port definition with {other_at}")
                elif not host or not other_host or (host == other_host and not (address and other_address)):
                    out.append(f"{at}: overlapping port definition with {other_at}")
            taken.setdefault(key, []).append((at, port))
    return out
