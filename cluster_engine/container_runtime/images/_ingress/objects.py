"""What the controller keeps of the objects that it watches. Pure; everything is JSON."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any, NamedTuple

from cluster_engine.component_helpers import certificates
from cluster_engine.linux import tls

JSON = dict[str, Any]
PREFIX = "nginx.ingress.kubernetes.io/"
CLASS = "kubernetes.io/ingress.class"
ACTS = (
    "app-root", "force-ssl-redirect", "permanent-redirect", "permanent-redirect-code", "rewrite-target", "ssl-redirect",
    "temporal-redirect", "use-regex",
)  # fmt: skip
"""The annotations that do something here."""
MAX_OBJECTS = 1_000
"""Objects of a resource that are kept; the controller does not see more."""


class Watched(NamedTuple):
    """A resource that the controller lists and watches."""

    name: str
    kind: str
    """As client-go's reflector names its type."""
    group: str
    """As an error names the resource: ``ingresses.networking.k8s.io``."""
    path: str
    keeps: Callable[[JSON], JSON | None]
    """What is kept of an object; None: nothing."""


def key_of(obj: JSON) -> str:
    """``namespace/name``."""
    meta = obj["metadata"]
    return f"{meta['namespace']}/{meta['name']}" if meta.get("namespace") else str(meta["name"])


def ingress(obj: JSON) -> JSON:
    """An Ingress."""
    meta, spec = obj["metadata"], obj.get("spec") or {}
    notes = meta.get("annotations") or {}
    return {
        "created": meta.get("creationTimestamp") or "",
        "uid": meta.get("uid") or "",
        "version": meta.get("resourceVersion") or "",
        "class": spec.get("ingressClassName"),
        "annotations": {
            name: value for name, value in notes.items() if name.startswith(PREFIX) or name == CLASS
        },
        "default": _backend(spec.get("defaultBackend")),
        "rules": [
            [
                rule.get("host") or "",
                [
                    [each.get("path") or "/", each.get("pathType") or "", _backend(each.get("backend"))]
                    for each in (rule.get("http") or {}).get("paths") or ()
                ],
            ]
            for rule in spec.get("rules") or ()
        ],
        "tls": [[each.get("hosts") or [], each.get("secretName") or ""] for each in spec.get("tls") or ()],
        "status": ((obj.get("status") or {}).get("loadBalancer") or {}).get("ingress") or [],
    }


def _backend(backend: JSON | None) -> list[Any] | None:
    """[name, port] of a Service; None where a backend is something else."""
    service = (backend or {}).get("service")
    if not service:
        return None
    port = service.get("port") or {}
    return [service["name"], port.get("name") or port.get("number") or 0]


def ingress_class(obj: JSON) -> JSON:
    """An IngressClass."""
    return {"controller": (obj.get("spec") or {}).get("controller") or ""}


def service(obj: JSON) -> JSON:
    """A Service."""
    spec = obj.get("spec") or {}
    status = (obj.get("status") or {}).get("loadBalancer") or {}
    return {
        "ports": [[each.get("name") or "", each["port"]] for each in spec.get("ports") or ()],
        "external": spec.get("externalName") or "",
        "addresses": [
            {key: value for key, value in each.items() if key in ("ip", "hostname")}
            for each in status.get("ingress") or ()
        ]
        or [{"ip": each} for each in spec.get("externalIPs") or ()],
    }


def slice_of(obj: JSON) -> JSON | None:
    """An EndpointSlice: the endpoints that are ready."""
    name = (obj["metadata"].get("labels") or {}).get("kubernetes.io/service-name")
    if not name or obj.get("addressType") != "IPv4":
        return None
    ready = [
        each["addresses"][0]
        for each in obj.get("endpoints") or ()
        if (each.get("conditions") or {}).get("ready") is not False
    ]
    ports = {each.get("name") or "": each.get("port") or 0 for each in obj.get("ports") or ()}
    return {"service": f"{obj['metadata']['namespace']}/{name}", "ready": ready, "ports": ports}


def secret(obj: JSON) -> JSON | None:
    """A Secret with a certificate: what is shown of it."""
    data = obj.get("data") or {}
    if not data.get("tls.crt") or "tls.key" not in data:
        return None
    try:
        pem = base64.b64decode(data["tls.crt"])
    except (ValueError, binascii.Error):
        return None
    shown = certificates.shown(pem)
    if shown is None:
        return None
    authority = (tls.authorities(pem.decode("latin-1")) or [""])[-1]
    return {"shows": [shown.common_name, list(shown.names), shown.issuer, authority, shown.der]}


def config_map(obj: JSON) -> JSON:
    """The controller's own settings."""
    return {"data": {name: value for name, value in (obj.get("data") or {}).items() if len(value) < 256}}


def pod(obj: JSON) -> JSON | None:
    """A Pod of the controller: on which node it runs."""
    if (obj.get("status") or {}).get("phase") != "Running":
        return None
    return {"node": (obj.get("spec") or {}).get("nodeName") or ""}
