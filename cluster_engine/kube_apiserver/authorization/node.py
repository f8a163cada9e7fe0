"""Nodes may read what their own Pods need, and write what is theirs.

Whether a write is of the node's own objects is for the admission plugin NodeRestriction, as upstream.
Models plugin/pkg/auth/authorizer/node.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.etcd import Store

from ..types import UserInfo
from .bootstrap_policy.roles import NODE_RULES
from .interface import ALLOW, NO_OPINION, Access, Decision, Rules

_GROUP, _PREFIX = "system:nodes", "system:node:"
_LEASES = "kube-node-lease"
_HERE = Decision("allow")


class NodeAuthorizer:
    """Answers for users of the group system:nodes that are called system:node:<name>."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._parts: dict[tuple[str, str], Callable[[str, Access], Decision]] = {
            ("", "secrets"): self._read_object,
            ("", "configmaps"): self._read_object,
            ("", "persistentvolumeclaims"): self._get_object,
            ("", "persistentvolumes"): self._get_object,
            ("", "serviceaccounts"): self._token,
            ("", "nodes"): self._node,
            ("", "pods"): self._pod,
            ("coordination.k8s.io", "leases"): self._lease,
            ("storage.k8s.io", "csinodes"): self._csi_node,
            ("storage.k8s.io", "volumeattachments"): self._get_object,
        }

    def decide(self, asked: Access) -> Decision:
        """Allow or no opinion, with what is missing."""
        node = node_of(asked.user)
        if node is None:
            return NO_OPINION
        if not node:
            return _no(f'unknown node for user "{asked.user.username}"')
        part = self._parts.get((asked.group, asked.resource))
        if part is not None:
            return part(node, asked)
        return ALLOW if any(rule.allows(asked) for rule in NODE_RULES) else NO_OPINION

    def rules(self, user: UserInfo, namespace: str) -> Rules:
        """What depends on Pods cannot be listed."""
        if node_of(user) is None:
            return Rules()
        return Rules(problem="node authorizer does not support user rule resolution")

    # ---- by resource -------------------------------------------------------------------------------------

    def _read_object(self, node: str, asked: Access) -> Decision:
        if asked.verb not in ("get", "list", "watch"):
            return _no("can only read resources of this type")
        if asked.subresource:
            return _no("cannot read subresource")
        if not asked.namespace:
            return _no("can only read namespaced object of this type")
        return self._related(node, asked)

    def _get_object(self, node: str, asked: Access) -> Decision:
        if asked.verb != "get":
            return _no("can only get individual resources of this type")
        if asked.subresource:
            return _no("cannot get subresource")
        return self._related(node, asked)

    def _token(self, node: str, asked: Access) -> Decision:
        if asked.verb != "create" or not asked.name:
            return _no("can only create tokens for individual service accounts")
        if asked.subresource != "token":
            return _no("can only create token subresource of serviceaccount")
        return self._related(node, asked)

    def _lease(self, node: str, asked: Access) -> Decision:
        if asked.verb not in ("get", "create", "update", "patch", "delete"):
            return _no("can only get, create, update, patch, or delete a node lease")
        if asked.namespace != _LEASES:
            return _no(f'can only access leases in the "{_LEASES}" system namespace')
        if asked.verb != "create" and asked.name != node:
            return _no("can only access node lease with the same name as the requesting node")
        return _HERE

    def _csi_node(self, node: str, asked: Access) -> Decision:
        if asked.verb not in ("get", "create", "update", "patch", "delete"):
            return _no("can only get, create, update, patch, or delete a CSINode")
        if asked.subresource:
            return _no("cannot authorize CSINode subresources")
        if asked.verb != "create" and asked.name != node:
            return _no("can only access CSINode with the same name as the requesting node")
        return _HERE

    def _node(self, node: str, asked: Access) -> Decision:
        if asked.subresource == "status":
            return ALLOW if asked.verb in ("update", "patch") else NO_OPINION
        if asked.subresource:
            return NO_OPINION
        if asked.verb in ("create", "update", "patch"):
            return ALLOW
        if asked.verb not in ("get", "list", "watch"):
            return NO_OPINION
        if asked.name == node:
            return _HERE
        if not asked.name:
            return _no(f"node '{node}' cannot read all nodes, only its own Node object")
        return _no(f"node '{node}' cannot read '{asked.name}', only its own Node object")

    def _pod(self, node: str, asked: Access) -> Decision:
        match asked.subresource, asked.verb:
            case ("", "create" | "delete") | ("status", "update" | "patch") | ("eviction", "create"):
                return ALLOW
            case "", "get":
                return self._related(node, asked)
            case "", "list" | "watch":
                if asked.selects("spec.nodeName") == node:
                    return _HERE
                if asked.name:
                    return self._related(node, asked)
                return _no("can only list/watch pods with spec.nodeName field selector")
        return NO_OPINION

    def _related(self, node: str, asked: Access) -> Decision:
        """Whether a Pod of the node refers to the object (the graph of upstream, from the Pods themselves)."""
        if not asked.name:
            return _no("No Object name found")
        wanted = (asked.resource, asked.name)
        for pod in self._store.range("pods", asked.namespace or None):
            if pod["spec"].get("nodeName") == node and wanted in needs(pod):
                return _HERE
        return _no(f"no relationship found between node '{node}' and this object")


def _no(reason: str) -> Decision:
    return NO_OPINION._replace(reason=reason)


def node_of(user: UserInfo) -> str | None:
    """The node's name, "" when it cannot be told, None when the user is no node (NodeIdentity)."""
    if not user.username.startswith(_PREFIX) or _GROUP not in user.groups:
        return None
    return user.username.removeprefix(_PREFIX)


def needs(pod: JSON) -> Iterator[tuple[str, str]]:
    """(resource, name) of everything that a kubelet reads for the Pod, the Pod itself first."""
    spec = pod["spec"]
    yield "pods", pod["metadata"]["name"]
    yield "serviceaccounts", spec.get("serviceAccountName") or ""
    for reference in spec.get("imagePullSecrets") or ():
        yield "secrets", reference.get("name") or ""
    for volume in spec.get("volumes") or ():
        yield from _sources(volume)
        for source in (volume.get("projected") or {}).get("sources") or ():
            yield from _sources(source)
        claim = volume.get("persistentVolumeClaim")
        if claim:
            yield "persistentvolumeclaims", claim.get("claimName") or ""
    for part in ("containers", "initContainers", "ephemeralContainers"):
        for container in spec.get(part) or ():
            for source in container.get("envFrom") or ():
                yield "secrets", (source.get("secretRef") or {}).get("name") or ""
                yield "configmaps", (source.get("configMapRef") or {}).get("name") or ""
            for variable in container.get("env") or ():
                value = variable.get("valueFrom") or {}
                yield "secrets", (value.get("secretKeyRef") or {}).get("name") or ""
                yield "configmaps", (value.get("configMapKeyRef") or {}).get("name") or ""


def _sources(source: JSON) -> Iterator[tuple[str, str]]:
    secret, config = source.get("secret") or {}, source.get("configMap") or {}
    yield "secrets", secret.get("secretName") or secret.get("name") or ""
    yield "configmaps", config.get("name") or ""
