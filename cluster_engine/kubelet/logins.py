"""Who logs in to a node's machine, as with ssh: sessions that belong to no Pod.

The machine is made when the first comes, and shows the node's files (`node_files`). It is gone when its power is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cluster_engine.addons.static_pods import AUDIT_FOLDER
from cluster_engine.apimachinery import errors
from cluster_engine.container_runtime.errors import StartError
from cluster_engine.kubelet.core import ON, UNATTENDED, Core, Node
from cluster_engine.kubelet.flag_files import KUBELET, environment_of
from cluster_engine.kubelet.node_files import KUBERNETES, shown, with_logs
from cluster_engine.kubelet.runtime import Runtime
from cluster_engine.sim import rfc3339

SHOWN = (
    KUBERNETES,
    "/etc/cni",
    "/opt/cni",
    KUBELET,
    "/var/lib/containerd",
    "/var/lib/etcd",
    "/var/log",
    "/run/containerd",
)
"""The places of a node that its machine shows."""
_TITLES = {
    "ps": ["CONTAINER", "IMAGE", "CREATED", "STATE", "NAME", "ATTEMPT", "POD ID", "POD", "NAMESPACE"],
    "pods": ["POD ID", "CREATED", "STATE", "NAME", "NAMESPACE", "ATTEMPT"],
    "images": ["IMAGE", "TAG"],
}


class Logins:
    """The logins of all nodes."""

    def __init__(self, core: Core, runtime: Runtime) -> None:
        self.core = core
        self.runtime = runtime

    def refusal(self, host: str) -> str:
        """Why nobody can log in to that host: ``unknown``, ``unreachable``; "": somebody can."""
        node = self.core.nodes.get(host)
        if node is None:
            return "unknown"
        return "" if node.power in (ON, UNATTENDED) else "unreachable"

    def open(self, session: str, host: str, argv: list[str], tty: bool) -> None:
        """Runs a command, or a shell, on a node's machine; what becomes of it the session is told."""
        sessions = self.core.ctx.server.sessions
        if why := self.refusal(host):
            sessions.refused(session, errors.service_unavailable(f"{host}: {why}").status)
            return
        node = self.core.nodes[host]
        try:
            files = self._files(node)
            self.runtime.log_in(node.name, node.ip, files, self._kept(node), session, argv, tty)
        except StartError as error:
            sessions.refused(session, errors.internal(str(error)).status)
            return
        sessions.opened(session, host)

    def lose(self, host: str) -> None:
        """The machine has lost its power: nobody is on it any more."""
        self.runtime.log_out(host)

    def _files(self, node: Node) -> dict[str, Any]:
        now = self.core.clock.now
        made = node.control_plane and self.core.ctx.options.addons
        policy = self.core.ctx.options.audit_policy
        places = dict.fromkeys((*SHOWN, *self._kept(node)))
        written = environment_of(node.given)
        pki = self.core.pki_of(node.name)
        found = {path: shown(node.name, node.ip, made, path, now, policy, written, pki) for path in places}
        return {path: with_logs(root, node.name, path) for path, root in found.items() if root is not None}

    def _kept(self, node: Node) -> tuple[str, ...]:
        """Of those, what outlives the machine."""
        audited = node.control_plane and self.core.ctx.options.audit_policy
        return (KUBERNETES, KUBELET, AUDIT_FOLDER) if audited else (KUBERNETES, KUBELET)

    def cri(self, asked: Mapping[str, Any]) -> list[list[str]] | None:
        """The rows of ``crictl ps|pods|images`` on a node; None where no runtime answers."""
        node = self.core.nodes.get(asked["node"])
        if node is None:
            return None
        found = {"ps": self._containers, "pods": self._pods, "images": self._images}[asked["what"]]
        return [_TITLES[asked["what"]], *found(node, bool(asked["all"]))]

    def _containers(self, node: Node, every: bool) -> list[list[str]]:
        rows = []
        for record in self._records(node):
            namespace, _, pod = record.key.partition("/")
            for container in record.containers.values():
                if every or container.state == "running":
                    rows.append(
                        [container.id[:13], container.image, rfc3339(container.created_at),
                         container.state.capitalize(), container.name, str(container.attempt),
                         self._id(record.uid), pod, namespace]
                    )  # fmt: skip
        return rows

    def _pods(self, node: Node, every: bool) -> list[list[str]]:
        return [
            [self._id(record.uid), rfc3339(record.sandbox_at), "Ready", *reversed(record.key.split("/")), "0"]
            for record in self._records(node)
        ]

    def _images(self, node: Node, every: bool) -> list[list[str]]:
        return [[name, tag] for name, _, tag in (image.rpartition(":") for image in sorted(node.images))]

    def _records(self, node: Node) -> list[Any]:
        return [record for record in self.core.records.all() if record.node == node.name and record.sandbox]

    def _id(self, uid: str) -> str:
        return self.core.chance.of("sandbox", uid).hex(64)[:13]
