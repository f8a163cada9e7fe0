"""portforward: a session of connections to the ports of a Pod.

Models pkg/registry/core/pod/rest/subresources.go (PortForwardREST) and strategy.go (PortForwardLocation).
"""

from __future__ import annotations

from cluster_engine.apimachinery.cow import JSON

from ..node_api import NodeAPI, NodeProxy
from .container import check_assigned, kubelet_of


def locate(nodes: NodeProxy, pod: JSON) -> NodeAPI:
    """The kubelet that forwards. Raises ApiError."""
    check_assigned(pod)
    meta = pod["metadata"]
    return kubelet_of(nodes, pod, f"portForward/{meta['namespace']}/{meta['name']}")


def open_stream(nodes: NodeProxy, pod: JSON, session: str) -> None:
    """Begin the session. Raises ApiError."""
    meta = pod["metadata"]
    locate(nodes, pod).forward(session, meta["namespace"], meta["name"])
