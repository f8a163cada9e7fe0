"""DefaultTolerationSeconds: Pods bear a lost or unready node for five minutes.

Models plugin/pkg/admission/defaulttolerationseconds.
"""

from __future__ import annotations

from cluster_engine.apimachinery.cow import JSON

from .plugin import CREATE, UPDATE, Attributes, Plugin

_SECONDS = 300
_NOT_READY = "node.kubernetes.io/not-ready"
_UNREACHABLE = "node.kubernetes.io/unreachable"
# Shared by every Pod that brings no toleration of its own.
_ADDED: dict[str, JSON] = {
    key: {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": _SECONDS}
    for key in (_NOT_READY, _UNREACHABLE)
}
_BOTH = [_ADDED[_NOT_READY], _ADDED[_UNREACHABLE]]


class DefaultTolerationSeconds(Plugin):
    """Adds the two tolerations unless the Pod has its own for them."""

    name = "DefaultTolerationSeconds"
    operations = (CREATE, UPDATE)
    resources = ("pods",)
    mutates = True

    def admit(self, attributes: Attributes, obj: JSON) -> JSON:
        spec = obj.get("spec") or {}
        tolerations = spec.get("tolerations")
        if not tolerations:
            return {**obj, "spec": {**spec, "tolerations": _BOTH}}
        missing = [added for key, added in _ADDED.items() if not _tolerated(tolerations, key)]
        if not missing:
            return obj
        return {**obj, "spec": {**spec, "tolerations": [*tolerations, *missing]}}


def _tolerated(tolerations: list[JSON], key: str) -> bool:
    return any(
        t.get("key", "") in ("", key) and t.get("effect", "") in ("", "NoExecute") for t in tolerations
    )
