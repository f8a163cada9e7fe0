"""Why an object is as it is, and why its Pod is where it is: what the engine remembers, as JSON.

The chain goes from the learner's command, or a fault, to the object; of a Pod the scheduler's last attempt is told too,
and what it lacks to be Ready.
"""

from __future__ import annotations

from typing import Any, TypedDict

from django.utils.translation import gettext as _

from cluster_engine.cluster import Cluster
from runs.host.errors import HostError
from runs.host.happening import Happening, one
from runs.host.unready import Finding, unready

CHAIN_TOLD = 24
"""Links that are told: those nearest to the object."""
NODES_TOLD = 50
"""Nodes of an attempt that are told: those that can do first, the best of them first."""


class Why(TypedDict):
    """The answer."""

    kind: str
    name: str
    namespace: str
    chain: list[Happening]
    """From the cause to the effect."""
    attempt: dict[str, Any] | None
    """Of a Pod: the scheduler's last attempt (`Attempt.as_data`), with at most `NODES_TOLD` nodes."""
    nodes: int
    """How many nodes the attempt looked at."""
    unready: list[Finding]
    """Of a Pod that there is: what stands between it and being Ready."""


def explain(cluster: Cluster, data: dict[str, Any]) -> Why:
    """Of the object `resource`, `namespace`, `name`. Raises HostError 400 and 404."""
    resource, namespace, name = (str(data.get(key) or "") for key in ("resource", "namespace", "name"))
    try:
        kind = cluster.kind_of(resource)
    except KeyError:
        raise HostError(404, f"the server doesn't have a resource type {resource[:60]!r}") from None
    namespace = (namespace or "default") if kind.namespaced else ""
    try:
        links = cluster.why(kind.resource, namespace, name)
    except KeyError:
        raise HostError(
            404,
            _("%(resource)s %(name)r: nothing is remembered of it.")
            % {"resource": kind.resource, "name": name[:253]},
        ) from None
    is_pod = kind.group_resource == "pods"
    attempt = _attempt(cluster, namespace, name) if is_pod else None
    pod = cluster.get("pods", name, namespace) if is_pod else None
    nodes = len(attempt["nodes"]) if attempt is not None else 0
    if attempt is not None:
        attempt["nodes"] = sorted(attempt["nodes"], key=_place)[:NODES_TOLD]
    near = sorted(links, key=lambda link: (link.at, link.revision))[-CHAIN_TOLD:]
    return Why(
        kind=kind.kind,
        name=name,
        namespace=namespace,
        chain=[one(cluster, link) for link in near],
        attempt=attempt,
        nodes=nodes,
        unready=unready(cluster, pod) if pod is not None else [],
    )


def _attempt(cluster: Cluster, namespace: str, name: str) -> dict[str, Any] | None:
    attempts = cluster.attempts(namespace, name)
    return dict(attempts[-1]) if attempts else None


def _place(node: dict[str, Any]) -> tuple[bool, float, str]:
    return (not node["feasible"], -node.get("total", 0), node["name"])
