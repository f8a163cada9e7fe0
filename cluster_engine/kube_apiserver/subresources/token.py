"""serviceaccounts/token: a token for a service account (TokenRequest).

Models pkg/registry/core/serviceaccount/storage/token.go.
"""

from __future__ import annotations

from cluster_engine.apimachinery import errors
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.etcd import Store
from cluster_engine.sim import rfc3339

from ..authentication import ISSUER, Authenticator

_MIN_SECONDS = 10 * 60
_MAX_SECONDS = 1 << 32
_BOUND = {"Pod": "pods", "Secret": "secrets", "Node": "nodes"}


def issue(store: Store, authenticator: Authenticator, account: JSON, obj: JSON, token_id: str) -> JSON:
    """The TokenRequest with its status. Raises ApiError 404, 409, 422."""
    spec = obj.get("spec") or {}
    seconds = spec.get("expirationSeconds")
    seconds = 3600 if seconds is None else seconds
    problems = []
    if seconds < _MIN_SECONDS:
        problems.append(
            errors.invalid_value(
                "spec.expirationSeconds", seconds, "may not specify a duration less than 10 minutes"
            )
        )
    elif seconds > _MAX_SECONDS:
        problems.append(
            errors.invalid_value(
                "spec.expirationSeconds", seconds, "may not specify a duration larger than 2^32 seconds"
            )
        )
    if problems:
        raise errors.invalid("authentication.k8s.io", "TokenRequest", "", problems)
    audiences = list(spec.get("audiences") or [ISSUER])
    bound = _bound(store, account["metadata"]["namespace"], spec.get("boundObjectRef"))
    issued = authenticator.issue(account, audiences, seconds, token_id, bound)
    meta = account["metadata"]
    return {
        "kind": "TokenRequest",
        "apiVersion": "authentication.k8s.io/v1",
        "metadata": {
            "name": meta["name"],
            "namespace": meta["namespace"],
            "creationTimestamp": rfc3339(issued["expires_at"] - seconds * 1_000_000),
        },
        "spec": {
            "audiences": audiences,
            "expirationSeconds": seconds,
            "boundObjectRef": spec.get("boundObjectRef"),
        },
        "status": {"token": issued["token"], "expirationTimestamp": rfc3339(issued["expires_at"])},
    }


def _bound(store: Store, namespace: str, reference: JSON | None) -> JSON | None:
    if not reference:
        return None
    kind, name = reference.get("kind", ""), reference.get("name", "")
    resource = _BOUND.get(kind)
    if resource is None:
        raise errors.bad_request(
            f"cannot bind token to object of type {reference.get('apiVersion', '')}, Kind={kind}"
        )
    found = store.get(resource, name if resource == "nodes" else f"{namespace}/{name}")
    if found is None:
        raise errors.not_found(resource, name)
    uid = found["metadata"]["uid"]
    given = reference.get("uid")
    if given and given != uid:
        raise errors.conflict(
            resource,
            name,
            f"the UID in the bound object reference ({given}) does not match the UID in record. "
            "The object might have been deleted and then recreated",
        )
    node = (found.get("spec") or {}).get("nodeName", "") if kind == "Pod" else ""
    return {"kind": kind, "name": name, "uid": uid, "node": node}
