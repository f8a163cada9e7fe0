"""Static Pods: the control plane, which the kubelet runs from files and shows through mirror Pods.

Models pkg/kubelet/config/file.go and pkg/kubelet/pod/mirror_client.go. The containers belong to the file: a
mirror Pod that is deleted comes back, its containers have not noticed.
"""

from __future__ import annotations

import hashlib

import orjson

from cluster_engine.addons.static_pods import static_pods
from cluster_engine.apimachinery.cow import JSON, owner_reference
from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.kubelet.core import Core, Node
from cluster_engine.kubelet.record import MIRROR, PodRecord

_RETRY = 1.0
_TOLERATION = {"effect": "NoExecute", "operator": "Exists"}


class StaticPods:
    """The manifests of each control-plane node."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self._made: dict[str, tuple[JSON, ...]] = {}

    def manifests(self, node: Node) -> tuple[JSON, ...]:
        """The node's manifests, as the kubelet completes them."""
        found = self._made.get(node.name)
        if found is None:
            raw = _files(node.ip) if node.control_plane and self.core.ctx.options.addons else ()
            found = self._made[node.name] = tuple(_complete(manifest, node.name) for manifest in raw)
        return found

    def owns(self, record: PodRecord) -> bool:
        """Whether the record is of a static Pod."""
        node = self.core.nodes[record.node]
        return any(m["metadata"]["annotations"][MIRROR] == record.uid for m in self.manifests(node))

    def create(self, node: Node) -> bool:
        """Makes the missing mirror Pods; False when it has to be tried again."""
        owner = self.core.ctx.informers.of("nodes").get(node.name)
        if owner is None:
            return False
        reference = {k: v for k, v in owner_reference(owner).items() if k != "blockOwnerDeletion"}
        complete = True
        for manifest in self.manifests(node):
            meta = manifest["metadata"]
            if self.core.pods.get(f"{meta['namespace']}/{meta['name']}") is not None:
                continue
            seen = {"kubernetes.io/config.seen": self.core.clock.timestamp()}
            mirror = {
                **manifest,
                "metadata": {
                    **meta,
                    "annotations": {**meta["annotations"], **seen},
                    "ownerReferences": [reference],
                },
            }
            try:
                node.client.create("pods", mirror)
            except ApiError:
                complete = False  # the namespace or its priority class is not there yet
        return complete

    def mirror_gone(self, record: PodRecord) -> None:
        """The mirror is gone: another one is made, and shows the same containers."""
        self.core.clock.call_later(_RETRY, "kubelet/mirror", *self.core.nodes[record.node].life)
        self.core.changed(record)

    def refresh(self, node_name: str) -> None:
        """Clock event: make mirror Pods, until all are there."""
        node = self.core.nodes[node_name]
        if not node.cut and not self.create(node):
            self.core.clock.call_later(_RETRY, "kubelet/mirror", *node.life)


def _files(node_ip: str) -> tuple[JSON, ...]:
    return tuple(static_pods(node_ip))


def _complete(manifest: JSON, node: str) -> JSON:
    meta, spec = manifest["metadata"], manifest["spec"]
    digest = hashlib.md5(
        orjson.dumps(manifest, option=orjson.OPT_SORT_KEYS), usedforsecurity=False
    ).hexdigest()
    annotations = {
        **(meta.get("annotations") or {}),
        "kubernetes.io/config.hash": digest,
        MIRROR: digest,
        "kubernetes.io/config.source": "file",
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            **meta,
            "name": f"{meta['name']}-{node}",
            "namespace": meta.get("namespace") or "kube-system",
            "annotations": annotations,
        },
        "spec": {**spec, "nodeName": node, "tolerations": [*(spec.get("tolerations") or ()), _TOLERATION]},
    }
