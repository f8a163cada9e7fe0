"""The options of a CONNECT request (exec, attach, portforward, proxy), as admission sees them in the object's place.

Models pkg/apis/core (PodExecOptions and its siblings) and ConnectResource of k8s.io/apiserver/pkg/endpoints/handlers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cluster_engine.apimachinery.cow import JSON

_KINDS = {
    ("pods", "exec"): "PodExecOptions",
    ("pods", "attach"): "PodAttachOptions",
    ("pods", "portforward"): "PodPortForwardOptions",
    ("pods", "proxy"): "PodProxyOptions",
    ("services", "proxy"): "ServiceProxyOptions",
    ("nodes", "proxy"): "NodeProxyOptions",
}
_FLAGS = ("stdin", "stdout", "stderr", "tty")


def options(resource: str, subresource: str, query: Sequence[tuple[str, str]]) -> JSON:
    """The options that the parameters of the URL make."""
    made: dict[str, Any] = {"kind": _KINDS[resource, subresource], "apiVersion": "v1"}
    given = dict(query)
    if subresource in ("exec", "attach"):
        made |= {name: True for name in _FLAGS if given.get(name) in ("true", "1")}
        made |= {"container": given["container"]} if given.get("container") else {}
    if subresource == "exec":
        made["command"] = [value for name, value in query if name == "command"]
    if subresource == "portforward":
        made["ports"] = [int(value) for name, value in query if name == "ports" and value.isdecimal()]
    return made
