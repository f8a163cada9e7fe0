"""Of which Pods a node may ask for certificates: of those that run on it, in their own name.

Models plugin/pkg/admission/noderestriction (admitPodCertificateRequest). What upstream lets its client try again (500),
as its informers may be behind, is refused as the rest is.
"""

from __future__ import annotations

from cluster_engine.apimachinery.cow import JSON

from .plugin import CREATE, Attributes

_MIRROR = "kubernetes.io/config.mirror"


def refusal(node: str, attributes: Attributes) -> str:
    """Why the node may not; "": it may."""
    if attributes.operation != CREATE:
        return "unexpected operation"
    if attributes.subresource:
        return f"unexpected subresource {attributes.subresource}"
    spec = (attributes.obj or {}).get("spec") or {}
    named = spec.get("nodeName") or ""
    if named != node:
        return f'PodCertificateRequest.Spec.NodeName="{named}", which is not the requesting node "{node}"'
    pod_key = f"{attributes.namespace}/{spec.get('podName') or ''}"
    return _node_refusal(attributes, spec, pod_key) or _pod_refusal(attributes, spec, pod_key)


def _node_refusal(attributes: Attributes, spec: JSON, pod_key: str) -> str:
    found = attributes.store.get("nodes", spec["nodeName"])
    if found is None:
        what = f'while retrieving node "{spec["nodeName"]}" named in the PodCertificateRequest'
        return f'{what}: node "{spec["nodeName"]}" not found'
    uid, asked = found["metadata"]["uid"], spec.get("nodeUID") or ""
    if uid == asked:
        return ""
    what = f'PodCertificateRequest for pod "{pod_key}" names node UID "{asked}"'
    return f'{what}, inconsistent with the running node ("{uid}")'


def _pod_refusal(attributes: Attributes, spec: JSON, pod_key: str) -> str:
    pod = attributes.store.get("pods", pod_key)
    what = f'PodCertificateRequest for pod "{pod_key}"'
    if pod is None:
        said = f'while retrieving pod "{pod_key}" named in the PodCertificateRequest'
        return f'{said}: pod "{spec.get("podName") or ""}" not found'
    uid, asked = pod["metadata"]["uid"], spec.get("podUID") or ""
    if uid != asked:
        return f'{what} contains pod UID ("{asked}") which differs from running pod "{uid}"'
    if pod["spec"].get("nodeName") != spec["nodeName"]:
        where = spec["nodeName"]
        return f'pod "{pod_key}" is not running on node "{where}" named in the PodCertificateRequest'
    if _MIRROR in (pod["metadata"].get("annotations") or {}):
        return f'pod "{pod_key}" is a mirror pod'
    account, named = pod["spec"].get("serviceAccountName") or "", spec.get("serviceAccountName") or ""
    if account != named:
        return f'{what} contains serviceAccountName ("{named}") that differs from running pod ("{account}")'
    key = f"{attributes.namespace}/{account}"
    found = attributes.store.get("serviceaccounts", key)
    if found is None:
        said = f'while retrieving service account "{key}" named in the PodCertificateRequest'
        return f'{said}: serviceaccount "{account}" not found'
    uid, asked = found["metadata"]["uid"], spec.get("serviceAccountUID") or ""
    if uid == asked:
        return ""
    return f'{what} names service account UID "{asked}", which differs from the running service account ("{uid}")'
