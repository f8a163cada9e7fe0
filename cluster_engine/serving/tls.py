"""TLS for one cluster's port: a client is known by its certificate, as a real API server knows its clients."""

from __future__ import annotations

import hashlib
import os
import ssl
import tempfile
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import uvicorn

from cluster_engine.kube_apiserver import UserInfo
from cluster_engine.serving.http import Http
from cluster_engine.serving.pki import Certificates
from cluster_engine.serving.subprotocols import KubernetesWebSocket


class _Peer:
    """Puts the client's certificate, which TLS has verified against our CA, into the ASGI scope."""

    def __init__(self, app: Any, user: UserInfo) -> None:
        self._app = app
        self._user = user

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        scope["drydock.peer"] = self._user
        await self._app(scope, receive, send)


def _with_peer(app: Any, transport: Any) -> Any:
    tls = transport.get_extra_info("ssl_object")
    certificate = tls.getpeercert() if tls is not None else None
    if not certificate:
        return app
    user = certificate_user(certificate, tls.getpeercert(binary_form=True) or b"")
    return app if user is None else _Peer(app, user)


def certificate_user(certificate: dict[str, Any], encoded: bytes) -> UserInfo | None:
    """The user of a client certificate: CN is the name, each O a group (x509.CommonNameUserConversion)."""
    names = [pair for part in certificate.get("subject", ()) for pair in part]
    user = next((value for name, value in names if name == "commonName"), "")
    groups = tuple(value for name, value in names if name == "organizationName")
    if not user:
        return None
    credential = f"X509SHA256={hashlib.sha256(encoded).hexdigest()}"
    extra = {"authentication.kubernetes.io/credential-id": (credential,)}
    return UserInfo(user, groups=(*groups, "system:authenticated"), extra=extra)


class PeerHttp(Http):
    """HTTP connections that know their peer."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.app = _with_peer(self.app, transport)


class PeerWebSocket(KubernetesWebSocket):
    """WebSockets that know their peer."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.app = _with_peer(self.app, transport)


def peer_user(scope: MutableMapping[str, Any]) -> UserInfo | None:
    """The user whose certificate came with the connection, if any."""
    user: UserInfo | None = scope.get("drydock.peer")
    return user


def use_tls(config: uvicorn.Config, certificates: Certificates, client_ca: bytes) -> None:
    """TLS that asks for a client certificate and verifies it, but lets bearer tokens through without one.

    ``client_ca`` (PEM) is whose certificates are known beside those that were made at the start: the cluster's own
    authority, which signs CertificateSigningRequests.
    """
    # The standard library reads certificates from files only; these vanish at once.
    with tempfile.TemporaryDirectory(prefix="drydock-pki-") as folder:
        paths = {name: str(Path(folder, name)) for name in ("ca.crt", "server.crt", "server.key")}
        write_private(Path(paths["ca.crt"]), (certificates.ca + client_ca).decode())
        write_private(Path(paths["server.crt"]), certificates.server.certificate.decode())
        write_private(Path(paths["server.key"]), certificates.server.key.decode())
        config.ssl_certfile, config.ssl_keyfile = paths["server.crt"], paths["server.key"]
        config.ssl_ca_certs, config.ssl_cert_reqs = paths["ca.crt"], ssl.CERT_OPTIONAL
        config.load()


def write_private(path: Path, text: str) -> None:
    """A file that only its owner reads."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)
