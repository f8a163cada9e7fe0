"""Subresources: one file each, named as in the URL; and the verbs of each, whichever kind has it.

Which ones a kind has stands in the kind's file.
"""

from __future__ import annotations

from typing import NamedTuple


class Subresource(NamedTuple):
    """Verbs of a subresource, and its kind where it is not the parent's."""

    verbs: tuple[str, ...]
    kind: tuple[str, str, str] | None = None  # group, version, kind


_RW = ("get", "patch", "update")
SUBRESOURCES: dict[str, Subresource] = {
    "approval": Subresource(_RW),
    "attach": Subresource(("create", "get"), ("", "v1", "PodAttachOptions")),
    "binding": Subresource(("create",), ("", "v1", "Binding")),
    "ephemeralcontainers": Subresource(_RW),
    "eviction": Subresource(("create",), ("policy", "v1", "Eviction")),
    "exec": Subresource(("create", "get"), ("", "v1", "PodExecOptions")),
    "finalize": Subresource(("update",)),
    "log": Subresource(("get",)),
    "portforward": Subresource(("create", "get"), ("", "v1", "PodPortForwardOptions")),
    "proxy": Subresource(("create", "delete", "get", "patch", "update"), ("", "v1", "PodProxyOptions")),
    "resize": Subresource(_RW),
    "scale": Subresource(_RW, ("autoscaling", "v1", "Scale")),
    "status": Subresource(_RW),
    "token": Subresource(("create",), ("authentication.k8s.io", "v1", "TokenRequest")),
}
"""By the last word of the URL."""
