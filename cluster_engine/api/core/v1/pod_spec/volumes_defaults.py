"""Defaults of volumes.

Models pkg/apis/core/v1/defaults.go.
"""

from __future__ import annotations

from typing import Any

from cluster_engine.apimachinery.cow import JSON

from .images import pull_policy
from .sharing import default_env_source, mapped

_MODE = 0o644
_TOKEN_SECONDS = 3600

# Volume source: the fields that it gets when they are missing.
_FIELDS: dict[str, dict[str, Any]] = {
    "secret": {"defaultMode": _MODE},
    "configMap": {"defaultMode": _MODE},
    "downwardAPI": {"defaultMode": _MODE},
    "projected": {"defaultMode": _MODE},
    "hostPath": {"type": ""},
    "iscsi": {"iscsiInterface": "default"},
    "rbd": {"pool": "rbd", "user": "admin", "keyring": "/etc/ceph/keyring"},
    "azureDisk": {"cachingMode": "ReadWrite", "kind": "Shared", "fsType": "ext4", "readOnly": False},
    "scaleIO": {"storageMode": "ThinProvisioned", "fsType": "xfs"},
}


def default_volume(volume: JSON) -> JSON:
    """A volume with its defaults; one without any source is an emptyDir."""
    source = next((name for name, value in volume.items() if name != "name" and value is not None), None)
    if source is None:
        return {**volume, "emptyDir": {}}
    value = volume[source]
    if not isinstance(value, dict):
        return volume
    made = value
    missing = {name: default for name, default in _FIELDS.get(source, {}).items() if made.get(name) is None}
    if missing:
        made = {**made, **missing}
    if source == "downwardAPI":
        made = _items(made, "items")
    elif source == "projected":
        made = _projected(made)
    elif source == "image" and not made.get("pullPolicy"):
        made = {**made, "pullPolicy": pull_policy(made.get("reference") or "")}
    elif source == "ephemeral":
        made = _ephemeral(made)
    return volume if made is value else {**volume, source: made}


def _items(source: JSON, field: str) -> JSON:
    items = source.get(field)
    if not items:
        return source
    made = mapped(items, default_env_source)
    return source if made is items else {**source, field: made}


def _projected(source: JSON) -> JSON:
    sources = source.get("sources")
    if not sources:
        return source
    made = mapped(sources, _projection)
    return source if made is sources else {**source, "sources": made}


def _projection(projection: JSON) -> JSON:
    token = projection.get("serviceAccountToken")
    if token is not None and token.get("expirationSeconds") is None:
        return {**projection, "serviceAccountToken": {**token, "expirationSeconds": _TOKEN_SECONDS}}
    downward = projection.get("downwardAPI")
    if downward is not None:
        made = _items(downward, "items")
        if made is not downward:
            return {**projection, "downwardAPI": made}
    return projection


def _ephemeral(source: JSON) -> JSON:
    template = source.get("volumeClaimTemplate")
    if not template or (template.get("spec") or {}).get("volumeMode"):
        return source
    spec = {**(template.get("spec") or {}), "volumeMode": "Filesystem"}
    return {**source, "volumeClaimTemplate": {**template, "spec": spec}}
