"""ServiceAccount: every Pod runs as a service account and gets its token mounted.

Models plugin/pkg/admission/serviceaccount.
"""

from __future__ import annotations

from typing import Any

from cluster_engine.apimachinery import errors
from cluster_engine.apimachinery.cow import JSON

from .plugin import CREATE, Attributes, Plugin

MOUNT_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
_TOKEN_SECONDS = 3607  # one hour and the margin by which upstream tells its own tokens
_MIRROR = "kubernetes.io/config.mirror"


class ServiceAccount(Plugin):
    """Sets spec.serviceAccountName, mounts the projected token volume, copies imagePullSecrets."""

    name = "ServiceAccount"
    operations = (CREATE,)
    resources = ("pods",)
    mutates = True
    validates = True

    def admit(self, attributes: Attributes, obj: JSON) -> JSON:
        if _MIRROR in (obj["metadata"].get("annotations") or {}):
            return obj
        spec = obj.get("spec") or {}
        name = spec.get("serviceAccountName") or "default"
        account = _look_up(attributes, name)
        new: JSON = {**spec, "serviceAccountName": name, "serviceAccount": name}
        if _automount(spec, account):
            _mount_token(new, attributes.identities.suffix("kube-api-access", obj["metadata"]["uid"]))
        if not spec.get("imagePullSecrets") and account.get("imagePullSecrets"):
            new["imagePullSecrets"] = account["imagePullSecrets"]
        return {**obj, "spec": new}

    def validate(self, attributes: Attributes) -> None:
        obj = attributes.obj
        if obj is None or _MIRROR not in (obj["metadata"].get("annotations") or {}):
            return
        spec = obj.get("spec") or {}
        refuse = ""
        if spec.get("serviceAccountName"):
            refuse = "a mirror pod may not reference service accounts"
        for volume in spec.get("volumes") or ():
            if "secret" in volume:
                refuse = refuse or "a mirror pod may not reference secrets"
            if any("serviceAccountToken" in s for s in (volume.get("projected") or {}).get("sources") or ()):
                refuse = refuse or "a mirror pod may not use ServiceAccountToken volume projections"
        if refuse:
            raise errors.forbidden("pods", attributes.name, refuse)


def _look_up(attributes: Attributes, name: str) -> JSON:
    namespace = attributes.namespace
    found = attributes.store.get("serviceaccounts", f"{namespace}/{name}")
    if found is None:
        raise errors.forbidden(
            "pods",
            attributes.name,
            f'error looking up service account {namespace}/{name}: serviceaccount "{name}" not found',
        )
    return found


def _automount(spec: JSON, account: JSON) -> bool:
    own = spec.get("automountServiceAccountToken")
    if own is not None:
        return bool(own)
    return account.get("automountServiceAccountToken") is not False


def _mount_token(spec: JSON, suffix: str) -> None:
    """Adds the volume (``kube-api-access-<suffix>``) and its mounts to `spec`, which is a fresh copy."""
    volumes: list[Any] = list(spec.get("volumes") or ())
    name = ""
    for volume in volumes:
        if volume.get("name", "").startswith("kube-api-access-"):
            name = volume["name"]
            break
    fresh = not name
    if fresh:
        name = f"kube-api-access-{suffix}"
    mount = {"name": name, "readOnly": True, "mountPath": MOUNT_PATH}
    needed = False
    for part in ("initContainers", "containers"):
        containers = spec.get(part)
        if not containers:
            continue
        mounted = []
        for container in containers:
            mounts = container.get("volumeMounts") or ()
            if any(m.get("mountPath") == MOUNT_PATH for m in mounts):
                mounted.append(container)
                continue
            needed = True
            mounted.append({**container, "volumeMounts": [*mounts, mount]})
        spec[part] = mounted
    if fresh and needed:
        volumes.append({"name": name, "projected": _TOKEN_PROJECTION})
        spec["volumes"] = volumes


_TOKEN_PROJECTION: JSON = {
    "defaultMode": 420,
    "sources": [
        {"serviceAccountToken": {"expirationSeconds": _TOKEN_SECONDS, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {
            "downwardAPI": {
                "items": [
                    {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
                ]
            }
        },
    ],
}
