"""Static Pods: what the kubelet runs from its node's manifest folder, and shows through mirror Pods.

Models pkg/kubelet/config/file.go and pkg/kubelet/pod/mirror_client.go. The containers belong to the file: a
mirror Pod that is deleted comes back, its containers have not noticed; when the file goes, they end and the mirror
goes after them. A file that is changed is another Pod, which begins when the one before is gone.
"""

from __future__ import annotations

import hashlib

import orjson

from cluster_engine.addons.static_pods import static_pods
from cluster_engine.apimachinery import yaml
from cluster_engine.apimachinery.cow import JSON, owner_reference
from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.kubelet.core import Core, Node
from cluster_engine.kubelet.node_files import KUBERNETES, MANIFESTS, shown
from cluster_engine.kubelet.record import FINISHED, MIRROR, PodRecord, record_uid
from cluster_engine.kubelet.runtime import Runtime
from cluster_engine.linux.files import tree

MAX_MANIFESTS = 64
"""Files of a node's folder that are read, in the order of their names."""
MAX_MANIFEST = 256 * 1024
"""Bytes of one that is read."""
_RETRY = 1.0
_SYSTEM = "priorityclasses.scheduling.k8s.io"
_TOLERATION = {"effect": "NoExecute", "operator": "Exists"}


class StaticPods:
    """What lies in the manifest folder of each node."""

    def __init__(self, core: Core, runtime: Runtime) -> None:
        self.core = core
        self.runtime = runtime
        self._read: dict[str, tuple[tree.Node | None, tuple[JSON, ...]]] = {}
        """By node: the folder that was read, and what was in it. Pure caches."""
        runtime.node_wrote = self._node_wrote

    def manifests(self, node: Node) -> tuple[JSON, ...]:
        """The node's manifests, as the kubelet completes them; until somebody changes the folder, kubeadm's."""
        root = self.runtime.disk_of_node(node.name, KUBERNETES)
        folder = tree.find(root, [MANIFESTS]) if root is not None else None
        known = self._read.get(node.name)
        if known is None or known[0] is not folder:
            raw = _manifests_in(folder or {}) if root is not None else self._kubeadms(node)
            known = folder, tuple(_complete(manifest, node) for manifest in raw)
            self._read[node.name] = known
        return known[1]

    def _kubeadms(self, node: Node) -> tuple[JSON, ...]:
        if not self.is_kubeadms(node):
            return ()
        options = self.core.ctx.options
        return static_pods(node.ip, node.name, bool(options.audit_policy), options.admission_plugins)

    def is_kubeadms(self, node: Node) -> bool:
        """Whether kubeadm has made a control plane there."""
        return node.control_plane and self.core.ctx.options.addons

    def _node_wrote(self, host: str) -> None:
        """Who is logged in to a node's machine has done something: maybe with the manifests."""
        node = self.core.nodes[host]
        wanted = [_hash(manifest) for manifest in self.manifests(node)]
        present = [r.uid for r in self.core.records.all() if r.static and r.node == host and not r.gone]
        if sorted(wanted) != sorted(present):
            self.core.clock.call_at(self.core.clock.now, "kubelet/manifests", *node.life)

    def reload(self, node_name: str) -> None:
        """Clock event: Pods whose manifests are gone end, others begin."""
        wanted = [_hash(manifest) for manifest in self.manifests(self.core.nodes[node_name])]
        for known in self.core.records.all():
            if known.static and known.node == node_name and known.uid not in wanted and not known.gone:
                record = self.core.records[known.uid]
                record.gone = True
                self.core.wake(record)
        self.refresh(node_name)

    def find(self, node: Node, name: str, put_away: bool) -> tree.Node:
        """A Pod's manifest: in the folder, or put away in the one above it. Raises ValueError when it is not there."""
        place = _place(name, put_away)
        found = tree.find(self._root(node), place)
        if found is None:
            raise ValueError(f"expected the file {'/'.join([KUBERNETES, *place])} on {node.name}, found none")
        return found

    def move(self, node: Node, name: str, away: bool) -> None:
        """Puts a Pod's manifest away, or back into the folder. Raises ValueError."""
        file, now = self.find(node, name, not away), self.core.clock.now
        left = tree.taken(self._root(node), _place(name, not away), now)
        self.runtime.change_disk_of_node(node.name, KUBERNETES, tree.put(left, _place(name, away), file, now))
        self.core.clock.call_at(now, "kubelet/manifests", *node.life)

    def _root(self, node: Node) -> tree.Node:
        """What lies in /etc/kubernetes."""
        found = self.runtime.disk_of_node(node.name, KUBERNETES)
        if found is None:
            made, policy = self.is_kubeadms(node), self.core.ctx.options.audit_policy
            found = shown(node.name, node.ip, made, KUBERNETES, self.core.clock.now, policy)
        return found if found is not None else tree.directory()

    def look_again(self, node_name: str) -> None:
        """A static Pod has ended: another one of its name may wait for that."""
        self.core.clock.call_later(_RETRY, "kubelet/mirror", *self.core.nodes[node_name].life)

    def owns(self, record: PodRecord) -> bool:
        """Whether the record is of a static Pod."""
        node = self.core.nodes[record.node]
        return any(_hash(manifest) == record.uid for manifest in self.manifests(node))

    def create(self, node: Node) -> bool:
        """Makes the missing mirror Pods; False when it has to be tried again.

        What the API server refuses is tried again when the folder changes, and with the node's next heartbeat.
        """
        owner = self.core.ctx.informers.of("nodes").get(node.name)
        if owner is None:
            return False
        reference = {k: v for k, v in owner_reference(owner).items() if k != "blockOwnerDeletion"}
        complete = True
        for manifest in self.manifests(node):
            meta = manifest["metadata"]
            present = self.core.pods.get(_key(manifest))
            if present is not None and not self._is_left_over(node, present, manifest):
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
                if self.core.ctx.informers.of(_SYSTEM).get("system-node-critical") is None:
                    complete = False  # the cluster is being installed
        return complete

    def mirror_gone(self, record: PodRecord) -> None:
        """The mirror is gone: another one is made, and shows the same containers."""
        self.core.clock.call_later(_RETRY, "kubelet/mirror", *self.core.nodes[record.node].life)
        self.core.changed(record)

    def refresh(self, node_name: str) -> None:
        """Clock event: make mirror Pods, until all are there."""
        node = self.core.nodes[node_name]
        if node.cut:
            self._run_unseen(node)
        elif not self.create(node):
            self.core.clock.call_later(_RETRY, "kubelet/mirror", *node.life)

    def _is_left_over(self, node: Node, mirror: JSON, manifest: JSON) -> bool:
        """Whether a mirror shows a Pod of which nothing is left, while its file is another one; then it goes."""
        uid = record_uid(mirror)
        if uid == _hash(manifest) or self.core.records.get(uid) is not None:
            return False
        meta = mirror["metadata"]
        try:
            node.client.delete("pods", meta["name"], meta["namespace"], grace_period=0, uid=meta["uid"])
        except ApiError as error:
            return error.code == 404
        return True

    def _run_unseen(self, node: Node) -> None:
        """Begins what is not there yet, of which the API server cannot be told."""
        kind = self.core.ctx.scheme.of_object("v1", "Pod")
        assert kind is not None
        for manifest in self.manifests(node):
            uid, key = _hash(manifest), _key(manifest)
            left = [self.core.records[known] for known in self.core.records.of_key(key)]
            if any(record.state != FINISHED or not record.gone for record in left):
                continue  # it runs, or has run, or another one of its name has not ended yet
            for record in left:
                self.core.forget(record)
            pod = kind.default(manifest)
            node.seen[uid] = {**pod, "metadata": {**pod["metadata"], "uid": uid}, "status": {}}
            record = PodRecord(uid, key, node.name, static=True)
            record.grace = pod["spec"].get("terminationGracePeriodSeconds", 30)
            self.core.records.add(record)
            self.core.wake(record)


def _manifests_in(folder: tree.Node) -> list[JSON]:
    """The Pods of a folder's files, in the order of their names; what cannot be read as one is passed over."""
    found = []
    for name, node in sorted((folder.get("e") or {}).items())[:MAX_MANIFESTS]:
        if name.startswith(".") or node["t"] != "f":
            continue
        text = tree.content(node)
        if len(text) > MAX_MANIFEST:
            continue
        try:
            pod = yaml.load(text.encode("latin-1"))
        except yaml.YamlError:
            continue
        if _is_pod(pod):
            found.append(pod)
    return found


def _is_pod(pod: object) -> bool:
    if not isinstance(pod, dict) or (pod.get("apiVersion"), pod.get("kind")) != ("v1", "Pod"):
        return False
    meta, spec = pod.get("metadata"), pod.get("spec")
    return isinstance(meta, dict) and isinstance(meta.get("name"), str) and isinstance(spec, dict)


def _place(name: str, put_away: bool) -> list[str]:
    """Where a Pod's manifest lies below /etc/kubernetes."""
    return [f"{name}.yaml"] if put_away else [MANIFESTS, f"{name}.yaml"]


def _key(manifest: JSON) -> str:
    meta = manifest["metadata"]
    return f"{meta['namespace']}/{meta['name']}"


def _hash(manifest: JSON) -> str:
    """As which the kubelet knows the Pod."""
    digest: str = manifest["metadata"]["annotations"][MIRROR]
    return digest


def _complete(manifest: JSON, node: Node) -> JSON:
    meta, spec = manifest["metadata"], manifest["spec"]
    text = orjson.dumps(manifest, option=orjson.OPT_SORT_KEYS)
    if node.index or not node.control_plane:
        text += f"host:{node.name}".encode()  # the same file on several nodes is several Pods
    digest = hashlib.md5(text, usedforsecurity=False).hexdigest()
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
            "name": f"{meta['name']}-{node.name}",
            "namespace": meta.get("namespace") or "default",
            "annotations": annotations,
        },
        "spec": {
            **spec,
            "nodeName": node.name,
            "tolerations": [*(spec.get("tolerations") or ()), _TOLERATION],
        },
    }
