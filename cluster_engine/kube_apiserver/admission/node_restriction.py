"""NodeRestriction: a node writes its own objects and those of its Pods, and steers no Pods to itself.

Whether it may write objects of a sort at all is for the authorizers.

Models plugin/pkg/admission/noderestriction.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator

from cluster_engine.api.strategy import same
from cluster_engine.apimachinery import errors
from cluster_engine.apimachinery.cow import JSON, get
from cluster_engine.component_helpers.certificates import Problem, read_request
from cluster_engine.etcd import Store

from ..authorization import Access
from ..authorization.node import needs, node_of
from . import pod_certificates
from .certificate_approval import POD_REQUESTS, REQUESTS
from .plugin import CREATE, DELETE, UPDATE, Attributes, Host, Plugin

_MIRROR = "kubernetes.io/config.mirror"
_LEASES = "kube-node-lease"
_RESTRICTED = "node-restriction.kubernetes.io"
_OF_KUBERNETES = ("kubernetes.io", "k8s.io")
_OF_KUBELETS = ("kubelet.kubernetes.io", "node.kubernetes.io")
_KUBELET_LABELS = (
    "kubernetes.io/hostname",
    "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region",
    "failure-domain.beta.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region",
    "beta.kubernetes.io/instance-type",
    "beta.kubernetes.io/os",
    "beta.kubernetes.io/arch",
    "kubernetes.io/os",
    "kubernetes.io/arch",
)
_SIGNERS = ("kubernetes.io/kubelet-serving", "kubernetes.io/kube-apiserver-client-kubelet")
_RESIZED = ("capacity", "conditions", "allocatedResourceStatuses", "allocatedResources")
"""What of a claim's status its node says."""
_AUDIENCE_VERB = "request-serviceaccounts-token-audience"


class NodeRestriction(Plugin):
    """Asks of users of the group system:nodes alone."""

    name = "NodeRestriction"
    operations = (CREATE, UPDATE, DELETE)
    subresources = True
    bodies = ("eviction", "token")
    mutates = True
    validates = True

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._parts: dict[str, Callable[[str, Attributes], None]] = {
            "pods": self._pod,
            "nodes": self._node,
            "persistentvolumeclaims": self._claim,
            "serviceaccounts": self._token,
            "leases.coordination.k8s.io": self._lease,
            "csinodes.storage.k8s.io": self._csi_node,
            REQUESTS: self._certificate,
            POD_REQUESTS: self._pod_certificate,
        }
        self.resources = tuple(self._parts)

    def admit(self, attributes: Attributes, obj: JSON) -> JSON:
        self._ask(attributes)
        return obj

    def validate(self, attributes: Attributes) -> None:
        if attributes.operation == DELETE:  # of which nobody asks the mutating plugins
            self._ask(attributes)

    def _ask(self, attributes: Attributes) -> None:
        node = node_of(attributes.ctx.user)
        if node is None:
            return
        if not node:
            raise _refused(attributes, f'could not determine node from user "{attributes.ctx.user.username}"')
        self._parts[attributes.resource](node, attributes)

    # ---- Pods --------------------------------------------------------------------------------------------

    def _pod(self, node: str, attributes: Attributes) -> None:
        operation, obj = attributes.operation, attributes.obj or {}
        match attributes.subresource:
            case "":
                if operation == CREATE:
                    self._mirror(node, attributes, obj)
                elif operation == DELETE:
                    if _node_name(attributes.old) != node:
                        what = "can only delete pods with spec.nodeName set to itself"
                        raise _refused(attributes, f'node "{node}" {what}')
                else:
                    what = f'unexpected operation "{operation}", node "{node}" can only create and delete mirror pods'
                    raise _refused(attributes, what)
            case "status":
                _check_status(node, attributes, obj)
            case "eviction":
                if _node_name(_pod_of(attributes, attributes.name)) != node:
                    raise _refused(
                        attributes, f"node {node} can only evict pods with spec.nodeName set to itself"
                    )
            case other:
                what = f"unexpected pod subresource \"{other}\", only 'status' and 'eviction' are allowed"
                raise _refused(attributes, what)

    def _mirror(self, node: str, attributes: Attributes, pod: JSON) -> None:
        """A Pod that a node creates is the mirror of one of its own files, and nothing but the Pod itself."""
        meta, known = pod["metadata"], attributes.store.get("nodes", node)
        if _MIRROR not in (meta.get("annotations") or {}):
            what = f'pod does not have "{_MIRROR}" annotation, node "{node}" can only create mirror pods'
            raise _refused(attributes, what)
        if _node_name(pod) != node:
            raise _refused(attributes, f'node "{node}" can only create pods with spec.nodeName set to itself')
        owners = meta.get("ownerReferences") or []
        if len(owners) > 1:
            what = "can only create pods with a single owner reference set to itself"
            raise _refused(attributes, f'node "{node}" {what}')
        owner = owners[0] if owners else {}
        if (owner.get("apiVersion"), owner.get("kind"), owner.get("name")) != ("v1", "Node", node):
            what = "can only create pods with an owner reference set to itself"
            raise _refused(attributes, f'node "{node}" {what}')
        if not owner.get("controller"):
            what = "can only create pods with a controller owner reference set to itself"
            raise _refused(attributes, f'node "{node}" {what}')
        if owner.get("blockOwnerDeletion"):
            raise _refused(attributes, f'node "{node}" must not set blockOwnerDeletion on an owner reference')
        if known is None:
            raise errors.not_found("nodes", node)
        uid = known["metadata"]["uid"]
        if owner.get("uid") != uid:
            what = f"node {node} UID mismatch: expected {owner.get('uid', '')} got {uid}"
            raise _refused(attributes, what)
        if referred := _referred(pod):
            raise _refused(attributes, f'node "{node}" can not create pods that reference {referred}')

    # ---- what is a node's own ----------------------------------------------------------------------------

    def _node(self, node: str, attributes: Attributes) -> None:
        new, old = attributes.obj or {}, attributes.old or {}
        if attributes.name != node:
            raise _refused(attributes, f'node "{node}" is not allowed to modify node "{attributes.name}"')
        if attributes.operation == DELETE:
            return
        source = get(new, "spec", "configSource")
        if attributes.operation == CREATE:
            if source is not None:
                what = "is not allowed to create pods with a non-nil configSource"
                raise _refused(attributes, f'node "{node}" {what}')
            # The kubelets of this process register with the labels that kubeadm gives nodes afterwards.
            found = (
                [] if attributes.ctx.trusted else forbidden_labels(new["metadata"].get("labels") or {}, {})
            )
            if found:
                what = f'node "{node}" is not allowed to set the following labels: {", ".join(found)}'
                raise _refused(attributes, what)
            return
        if source is not None and not same(source, get(old, "spec", "configSource")):
            what = "is not allowed to update configSource to a new non-nil configSource"
            raise _refused(attributes, f'node "{node}" {what}')
        if not same(get(new, "spec", "taints"), get(old, "spec", "taints")):
            raise _refused(attributes, f'node "{node}" is not allowed to modify taints')
        if not same(new["metadata"].get("ownerReferences"), old["metadata"].get("ownerReferences")):
            raise _refused(attributes, f'node "{node}" is not allowed to modify ownerReferences')
        labels, before = (each["metadata"].get("labels") or {} for each in (new, old))
        if labels is not before and (found := forbidden_labels(labels, before)):
            raise _refused(attributes, f"is not allowed to modify labels: {', '.join(found)}")

    def _claim(self, node: str, attributes: Attributes) -> None:
        if attributes.subresource != "status":
            raise _refused(attributes, "may only update PVC status")
        if not same(_unresized(attributes.obj or {}), _unresized(attributes.old or {})):
            what = "is not allowed to update fields other than status.quantity and status.conditions"
            raise _refused(attributes, f'node "{node}" {what}')

    def _lease(self, node: str, attributes: Attributes) -> None:
        if attributes.namespace != _LEASES:
            raise _refused(attributes, f'can only access leases in the "{_LEASES}" system namespace')
        if attributes.name != node:
            what = "can only access node lease with the same name as the requesting node"
            raise _refused(attributes, what)

    def _csi_node(self, node: str, attributes: Attributes) -> None:
        if attributes.name != node:
            raise _refused(attributes, "can only access CSINode with the same name as the requesting node")

    def _pod_certificate(self, node: str, attributes: Attributes) -> None:
        if why := pod_certificates.refusal(node, attributes):
            raise _refused(attributes, why)

    def _certificate(self, node: str, attributes: Attributes) -> None:
        """A request for a kubelet's certificate names the node itself."""
        spec = (attributes.obj or {}).get("spec") or {}
        if attributes.operation != CREATE or spec.get("signerName") not in _SIGNERS:
            return
        try:
            asked = read_request(base64.b64decode(spec.get("request") or ""))
        except Problem as problem:
            raise _refused(attributes, f"unable to parse csr: {problem}") from problem
        if asked.common_name != f"system:node:{node}":
            raise _refused(attributes, f"can only create a node CSR with CN=system:node:{node}")

    # ---- tokens ------------------------------------------------------------------------------------------

    def _token(self, node: str, attributes: Attributes) -> None:
        if attributes.operation != CREATE or attributes.subresource != "token":
            return
        spec = (attributes.obj or {}).get("spec") or {}
        bound = spec.get("boundObjectRef") or {}
        if (bound.get("apiVersion"), bound.get("kind")) != ("v1", "Pod") or not bound.get("name"):
            raise _refused(attributes, "node requested token not bound to a pod")
        if not bound.get("uid"):
            raise _refused(attributes, "node requested token with a pod binding without a uid")
        pod = _pod_of(attributes, bound["name"])
        if bound["uid"] != pod["metadata"]["uid"]:
            what = f"the UID in the bound object reference ({bound['uid']}) does not match the UID in record."
            raise _refused(attributes, f"{what} The object might have been deleted and then recreated")
        if _node_name(pod) != node:
            raise _refused(attributes, "node requested token bound to a pod scheduled on a different node")
        self._check_audience(attributes, spec.get("audiences") or [], pod)

    def _check_audience(self, attributes: Attributes, audiences: list[str], pod: JSON) -> None:
        """The audience of a token is one that the Pod itself asks for, or the node may ask for any."""
        if len(audiences) > 1:
            raise _refused(attributes, "node may only request 0 or 1 audiences")
        audience, user = audiences[0] if audiences else "", attributes.ctx.user
        if audience in _audiences(attributes.store, pod):
            return
        asked = Access(user, _AUDIENCE_VERB, "", audience, "", attributes.namespace, attributes.name)
        if not self.host.authorizer.decide(asked).allowed:
            what = f'audience "{audience}" not found in pod spec volume'
            raise _refused(
                attributes, f"{what}, {user.username} is not authorized to request tokens for this audience"
            )


def forbidden_labels(new: JSON, old: JSON) -> list[str]:
    """The labels that differ and that no node may set: those that keep nodes apart, and unknown ones of Kubernetes."""
    changed = (name for name in {**old, **new} if new.get(name) != old.get(name))
    return sorted(name for name in changed if _is_forbidden(name))


def _is_forbidden(label: str) -> bool:
    prefix, slash, _ = label.partition("/")
    if not slash:
        return False
    if _is_of(prefix, (_RESTRICTED,)):
        return True
    return (
        _is_of(prefix, _OF_KUBERNETES) and label not in _KUBELET_LABELS and not _is_of(prefix, _OF_KUBELETS)
    )


def _is_of(prefix: str, domains: tuple[str, ...]) -> bool:
    return any(prefix == domain or prefix.endswith(f".{domain}") for domain in domains)


def _check_status(node: str, attributes: Attributes, new: JSON) -> None:
    if attributes.operation != UPDATE:
        raise _refused(attributes, f'unexpected operation "{attributes.operation}"')
    old = attributes.old or {}
    if _node_name(old) != node:
        what = "can only update pod status for pods with spec.nodeName set to itself"
        raise _refused(attributes, f'node "{node}" {what}')
    if not same(new["metadata"].get("labels"), old["metadata"].get("labels")):
        raise _refused(attributes, f'node "{node}" cannot update labels through pod status')
    now, before = new.get("status") or {}, old.get("status") or {}
    if not same(now.get("resourceClaimStatuses"), before.get("resourceClaimStatuses")):
        raise _refused(attributes, f'node "{node}" cannot update resource claim statues')
    if not same(now.get("extendedResourceClaimStatus"), before.get("extendedResourceClaimStatus")):
        raise _refused(attributes, f'node "{node}" cannot update extended resource claim status')


def _referred(pod: JSON) -> str:
    """What of the API a Pod needs, or ""."""
    found = {resource for resource, name in needs(pod) if name}  # asked for by name, never iterated
    if "serviceaccounts" in found:
        return "a service account"
    return next((each for each in ("secrets", "configmaps", "persistentvolumeclaims") if each in found), "")


def _audiences(store: Store, pod: JSON) -> Iterator[str]:
    """The audiences of the tokens that the Pod's volumes hold, and that their drivers ask for."""
    for volume in pod["spec"].get("volumes") or ():
        for source in get(volume, "projected", "sources", default=()):
            if source.get("serviceAccountToken") is not None:
                yield source["serviceAccountToken"].get("audience") or ""
        driver = store.get("csidrivers.storage.k8s.io", _driver(store, pod, volume))
        for asked in get(driver or {}, "spec", "tokenRequests", default=()):
            yield asked.get("audience") or ""


def _driver(store: Store, pod: JSON, volume: JSON) -> str:
    """The CSI driver of a volume, or ""."""
    meta, claim = pod["metadata"], get(volume, "persistentVolumeClaim", "claimName", default="")
    if volume.get("ephemeral") is not None:
        claim = f"{meta['name']}-{volume['name']}"
    if not claim:
        return str(get(volume, "csi", "driver", default=""))
    found = store.get("persistentvolumeclaims", f"{meta['namespace']}/{claim}") or {}
    behind = store.get("persistentvolumes", get(found, "spec", "volumeName", default="")) or {}
    return str(get(behind, "spec", "csi", "driver", default=""))


def _unresized(claim: JSON) -> JSON:
    meta = {k: v for k, v in claim["metadata"].items() if k not in ("resourceVersion", "managedFields")}
    status = {k: v for k, v in (claim.get("status") or {}).items() if k not in _RESIZED}
    return {**claim, "metadata": meta, "status": status}


def _pod_of(attributes: Attributes, name: str) -> JSON:
    found = attributes.store.get("pods", f"{attributes.namespace}/{name}")
    if found is None:
        raise errors.not_found("pods", name)
    return found


def _node_name(pod: JSON | None) -> str:
    spec = (pod or {}).get("spec") or {}
    return spec.get("nodeName") or ""


def _refused(attributes: Attributes, why: str) -> errors.ApiError:
    return errors.forbidden(attributes.resource, attributes.name, why)
