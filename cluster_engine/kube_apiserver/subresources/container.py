"""Which container of which Pod on which node: what log, exec and attach have in common.

Models pkg/registry/core/pod/strategy.go (LogLocation, streamLocation, PortForwardLocation).
"""

from __future__ import annotations

from cluster_engine.apimachinery import errors
from cluster_engine.apimachinery.cow import JSON

from ..node_api import NodeAPI, NodeProxy


def choose(pod: JSON, container: str) -> str:
    """The container's name; the only one when none is named. Raises ApiError 400."""
    name = pod["metadata"]["name"]
    spec = pod["spec"]
    names = [c["name"] for c in spec.get("containers") or ()]
    init = [c["name"] for c in spec.get("initContainers") or ()]
    ephemeral = [c["name"] for c in spec.get("ephemeralContainers") or ()]
    if container:
        if container not in (*names, *init, *ephemeral):
            raise errors.bad_request(f"container {container} is not valid for pod {name}")
        return container
    if len(names) == 1 and not init and not ephemeral:
        return str(names[0])
    if not names:
        raise errors.bad_request(f"a container name must be specified for pod {name}")
    text = f"a container name must be specified for pod {name}, choose one of: [{' '.join(names)}]"
    if init:
        text += f" or one of the init containers: [{' '.join(init)}]"
    if ephemeral:
        text += f" or one of the ephemeral containers: [{' '.join(ephemeral)}]"
    raise errors.bad_request(text)


def check_assigned(pod: JSON) -> None:
    """Refuse (400) what needs a node of a Pod that has none."""
    if not pod["spec"].get("nodeName"):
        raise errors.bad_request(f"pod {pod['metadata']['name']} does not have a host assigned")


def kubelet_of(nodes: NodeProxy, pod: JSON, path: str) -> NodeAPI:
    """The kubelet that runs the Pod; upstream answers 500 with this text when it cannot be reached."""
    node = pod["spec"]["nodeName"]
    found = nodes.find(node)
    if found is None:
        text = f'Get "https://{node}:10250/{path}": dial tcp: lookup {node}: no such host'
        raise errors.ApiError(errors.status_failure(400, "", text))
    return found
