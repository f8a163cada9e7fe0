"""Konnectivity: through which node's agent the API server reaches kubelets, Pods and Services, when it was told so.

All is read from what is there, which the API has checked: the API server's flag from its mirror Pod, the file that it
names from the node, the servers and agents from their Pods. Models
sigs.k8s.io/apiserver-network-proxy: pkg/server/backend_manager.go (which agent) and konnectivity-client (the errors).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from cluster_engine.apimachinery.cow import JSON, key_of
from cluster_engine.component_helpers.egress_selection import FLAG, socket_of
from cluster_engine.component_helpers.process_flags import flag_of
from cluster_engine.kube_apiserver.node_api import PROXY_AGENT, PROXY_SERVER, Hop
from cluster_engine.kubelet.core import Core, Node
from cluster_engine.kubelet.runtime import Runtime
from cluster_engine.linux.files import tree

NO_AGENT = "No agent available"
_SERVER, _AGENT = "kas-network-proxy/proxy-server", "kas-network-proxy/proxy-agent"
_PORT = "8091"
"""At which a server hears agents where its flags do not say, and agents look for it."""
_NO_SOCKET = (
    'rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial unix {}: '
    'connect: no such file or directory"'
)


class Tunnel(NamedTuple):
    """A way through an agent, or none."""

    node: str
    """The agent's."""
    why: str
    """Why there is no way, in the words of who dials; "": there is one."""
    hops: tuple[Hop, ...] = ()
    """The server and the agent that it goes through, as far as it comes."""


class Egress:
    """Of a cluster."""

    def __init__(self, core: Core, runtime: Runtime) -> None:
        self._core = core
        self._runtime = runtime
        self._planes = [node for node in core.nodes.values() if node.control_plane]

    def tunnel(self) -> Tunnel | None:
        """What the API server's connections go through; None: they go directly."""
        found = self._selected()
        if found is None:
            return None
        plane, socket = found
        servers = [pod for pod in self._ready(_SERVER) if _is_heard_by(pod, plane, socket)]
        if not servers:
            return Tunnel("", _NO_SOCKET.format(socket))
        agents = [
            (pod["metadata"]["name"], pod["spec"]["nodeName"], pod, server)
            for pod in self._ready(_AGENT)
            for server in servers
            if _connects(pod, server, plane)
        ]
        if not agents:
            return Tunnel("", NO_AGENT, (_hop(PROXY_SERVER, servers[0], socket),))
        _, node, agent, server = min(agents, key=lambda each: each[:2])
        return Tunnel(node, "", (_hop(PROXY_SERVER, server, socket), _hop(PROXY_AGENT, agent)))

    def _selected(self) -> tuple[Node, str] | None:
        """The API server's node and the socket that its configuration names; None without one."""
        for node in self._planes:
            mirror = self._core.pods.get(f"kube-system/kube-apiserver-{node.name}")
            path = flag_of(mirror, FLAG) if mirror is not None else None
            socket = self._socket(node, _on_node(mirror, path)) if mirror is not None and path else ""
            if socket:
                return node, socket
        return None

    def _socket(self, node: Node, path: str) -> str:
        file = self._runtime.place_of_node(node.name, path)
        if file is None or file["t"] != "f":
            return ""  # the API server does not start
        try:
            return socket_of(tree.content(file))
        except ValueError:
            return ""  # nor here

    def _ready(self, image: str) -> Iterator[JSON]:
        """The ready Pods whose first container is of that image, on nodes that reach the control plane."""
        for pod in self._core.pods.list():
            spec, meta = pod["spec"], pod["metadata"]
            if image not in spec["containers"][0].get("image", "") or "deletionTimestamp" in meta:
                continue
            node = self._core.nodes.get(spec.get("nodeName", ""))
            conditions = (pod.get("status") or {}).get("conditions") or ()
            is_ready = any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
            if is_ready and node is not None and node.reachable:
                yield pod


def _hop(at: str, pod: JSON, address: str = "") -> Hop:
    return {"at": at, "name": key_of(pod), "node": pod["spec"]["nodeName"], "address": address}


def _on_node(pod: JSON, path: str) -> str:
    """Where on its node lies what the Pod's first container has at that path."""
    places = {v["name"]: v["hostPath"]["path"] for v in pod["spec"].get("volumes") or () if v.get("hostPath")}
    mounts = pod["spec"]["containers"][0].get("volumeMounts") or ()
    inner: tuple[str, str] = ("", "")
    for mount in mounts:
        at = mount["mountPath"].rstrip("/")
        if mount["name"] in places and (path == at or path.startswith(f"{at}/")) and len(at) > len(inner[0]):
            inner = at, places[mount["name"]].rstrip("/")
    return inner[1] + path[len(inner[0]) :]


def _is_heard_by(server: JSON, plane: Node, socket: str) -> bool:
    """Whether it is that server that the API server of the node finds at its socket."""
    return server["spec"]["nodeName"] == plane.name and flag_of(server, "uds-name") == socket


def _connects(agent: JSON, server: JSON, plane: Node) -> bool:
    """Whether the agent looks for the server where it is, and is one that it lets in."""
    spec = agent["spec"]
    hosts = {plane.ip, plane.name, (server.get("status") or {}).get("podIP")}
    if spec.get("hostNetwork") and spec["nodeName"] == plane.name:
        hosts |= {"127.0.0.1", "localhost", None}
    namespace, account = flag_of(server, "agent-namespace"), flag_of(server, "agent-service-account")
    return (
        flag_of(agent, "proxy-server-host") in hosts
        and (flag_of(agent, "proxy-server-port") or _PORT) == (flag_of(server, "agent-port") or _PORT)
        and namespace in (None, agent["metadata"]["namespace"])
        and account in (None, spec.get("serviceAccountName"))
    )
