"""Calls of webhooks: from a client configuration to the answer of whoever stands behind it, in the instant of the call.

Only Services of the cluster are called; an address outside is refused with a sentence. No time passes: what a webhook
will say within its timeout is known at once.

Models k8s.io/apiserver/pkg/util/webhook (client.go), k8s.io/apiserver/pkg/util/proxy (ResolveCluster) and the error
texts of net/http, crypto/x509 and client-go's transformResponse.
"""

from __future__ import annotations

import base64
from typing import NamedTuple

import orjson

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.component_helpers import certificates
from cluster_engine.etcd import Store
from cluster_engine.linux import tls
from cluster_engine.sim import SECOND

from .node_api import NO_WAY, NodeProxy

_OTHERS = {
    "refused": "dial tcp {}: connect: connection refused",
    "unreachable": "dial tcp {}: connect: no route to host",
    "timeout": "dial tcp {}: connect: connection timed out",
    "reset": "EOF",
    "silent": "context deadline exceeded",
}
_PLAIN = "http: server gave HTTP response to HTTPS client"
_X509 = "tls: failed to verify certificate: x509: "
SHOWN = 1_024
"""Characters of a body that an error shows."""


class CallFailed(Exception):
    """The call came to nothing; str() says why, in Go's words."""


class OutOfReach(Exception):
    """It would go to an address outside of the cluster; str() is the request."""


class _Place(NamedTuple):
    ip: str
    port: int


def post(
    nodes: NodeProxy, store: Store, config: JSON, timeout: int, body: JSON, *, lasting: bool = True
) -> JSON:
    """The JSON that the webhook of a client configuration answers to that body. What is not ``lasting`` is asked of a
    copy of its Pod: nothing happens by it.

    Raises CallFailed, and OutOfReach for a configuration that names no Service of the cluster.
    """
    address = address_of(config)
    line = f'Post "{address}?timeout={timeout}s"'
    service = config.get("service")
    if service is None:
        raise OutOfReach(line)
    place = _resolved(store, service, line)
    own = nodes.first()
    if own is None:
        raise CallFailed(f"{line}: {_OTHERS['unreachable'].format(f'{place.ip}:{place.port}')}")
    host = f"{service['name']}.{service['namespace']}.svc"
    path = address.partition(".svc:")[2].partition("/")[2]
    sent = orjson.dumps(body).decode("latin-1")
    request = (
        f"POST /{path}?timeout={timeout}s HTTP/1.1\r\nHost: {host}:{service['port']}\r\n"
        "User-Agent: kube-apiserver-admission\r\nAccept: application/json, */*\r\n"
        f"Content-Type: application/json\r\nConnection: close\r\nContent-Length: {len(sent)}\r\n\r\n{sent}"
    )
    ask = own[1].ask if lasting else own[1].foresee
    ended, text = ask(place.ip, place.port, request, timeout * SECOND)
    if ended == NO_WAY:
        raise CallFailed(f"{line}: {text}")
    if ended != "said":
        raise CallFailed(f"{line}: {_OTHERS[ended].format(f'{place.ip}:{place.port}')}")
    shown = tls.shown(text)
    certificate, answer = shown if shown is not None else (None, "")
    if certificate is None:
        raise CallFailed(f"{line}: {_PLAIN}")
    distrust = _distrust(certificate, host, config.get("caBundle") or "")
    if distrust:
        raise CallFailed(f"{line}: {_X509}{distrust}")
    return _decoded(answer)


def address_of(config: JSON) -> str:
    """Where a client configuration points to."""
    service = config.get("service")
    if service is None:
        return str(config["url"])
    path = (service.get("path") or "/").lstrip("/")
    return f"https://{service['name']}.{service['namespace']}.svc:{service['port']}/{path}"


def _resolved(store: Store, service: JSON, line: str) -> _Place:
    """The Service's cluster IP (ResolveCluster). Raises CallFailed, OutOfReach."""
    name, port = service["name"], service["port"]
    found = store.get("services", f"{service['namespace']}/{name}")
    if found is None:
        raise CallFailed(f'{line}: service "{name}" not found')
    spec = found["spec"]
    if spec.get("type") == "ExternalName":
        raise OutOfReach(line)
    if spec.get("clusterIP") == "None":
        raise CallFailed(f'{line}: cannot route to service with ClusterIP "None"')
    if all(each["port"] != port for each in spec.get("ports") or ()):
        raise CallFailed(f'{line}: no service port {port} found for service "{name}"')
    return _Place(spec["clusterIP"], port)


def _distrust(certificate: tls.Certificate, host: str, bundle: str) -> str:
    """Why a server's certificate is not taken (crypto/x509); "": it is."""
    try:
        trusted = base64.b64decode(bundle)
    except ValueError:
        trusted = b""
    if not certificates.issued_by(certificate.der, trusted):
        return "certificate signed by unknown authority"
    if certificate.good_for(host):
        return ""
    names = ", ".join(name for name in certificate.names if name)
    if not names:
        return "certificate relies on legacy Common Name field, use SANs instead"
    return f"certificate is valid for {names}, not {host}"


def _decoded(text: str) -> JSON:
    """The answer's body. Raises CallFailed for another status, and for what is no JSON object."""
    head, _, body = text.partition("\r\n\r\n")
    status = head.split("\r\n", 1)[0].split(" ", 2)[1:2]
    code = int(status[0]) if status and status[0].isdecimal() else 0
    shown = body.strip()[:SHOWN]
    if code == 404:
        raise CallFailed("the server could not find the requested resource")
    if code >= 500 or not code:
        why = f"an error on the server ({_quoted(shown or 'unknown')}) has prevented the request from succeeding"
        raise CallFailed(why)
    if code >= 400:
        raise CallFailed("the server rejected our request for an unknown reason")
    try:
        found = orjson.loads(body.encode("latin-1"))
    except ValueError:
        first = body.lstrip()[:1]
        why = (
            f"invalid character '{first}' looking for beginning of value"
            if first
            else "unexpected end of JSON input"
        )
        raise CallFailed(f"couldn't get version/kind; json parse error: {why}") from None
    if not isinstance(found, dict):
        raise CallFailed("couldn't get version/kind; json parse error: json: cannot unmarshal into Go value")
    return found


def _quoted(text: str) -> str:
    return orjson.dumps(text.encode("latin-1").decode("utf-8", "replace")).decode()
