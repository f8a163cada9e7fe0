"""`python -m cluster_engine serve`: one stand-alone cluster for real clients.

    python -m cluster_engine serve --port 0 --kubeconfig kubeconfig --nodes 3 --seed 1 --speed 1

TLS on loopback with certificates made at the start; the kubeconfig holds them inline. `--insecure-http`
serves
plain HTTP instead, and whoever connects is the administrator.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import signal
import socket
import ssl
import sys
import tempfile
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from cluster_engine.cluster import Cluster
from cluster_engine.kube_apiserver import UserInfo, pki
from cluster_engine.kube_apiserver.server import ClusterApp, Driver
from cluster_engine.memory import relax_collector
from cluster_engine.sim import SECOND, rfc3339, wall_clock

LEAD_IN = 90 * SECOND
"""Virtual time between a cluster's first moment and the present, so that its ages look lived in."""


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


class _Server(uvicorn.Server):
    """uvicorn without its own signal handling, which ends the process by the signal again."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _Http(HttpToolsProtocol):
    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.app = _with_peer(self.app, transport)


class _WebSocket(WebSocketsSansIOProtocol):
    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.app = _with_peer(self.app, transport)


def peer_user(scope: MutableMapping[str, Any]) -> UserInfo | None:
    """The user whose certificate came with the connection, if any."""
    user: UserInfo | None = scope.get("drydock.peer")
    return user


def _speed(text: str) -> float | Literal["max"]:
    if text == "max":
        return "max"
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1e6:
        raise argparse.ArgumentTypeError(f"must be a number of at least 0, or max, found {text!r}")
    return value


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m cluster_engine", description="A simulated Kubernetes cluster."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="serve one cluster to real clients")
    serve.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: 127.0.0.1)")
    serve.add_argument("--port", type=int, default=6443, help="0: any free port (default: 6443)")
    serve.add_argument("--kubeconfig", type=Path, required=True, metavar="FILE", help="where to write it")
    serve.add_argument("--nodes", type=int, default=3, help="default: 3")
    serve.add_argument("--seed", type=int, default=0, help="default: 0")
    serve.add_argument(
        "--speed", type=_speed, default=1.0, help="virtual seconds a second, or max (default: 1)"
    )
    serve.add_argument(
        "--insecure-http", action="store_true", help="plain HTTP; every client is administrator"
    )
    return parser.parse_args(argv)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol must be named: asyncio sets TCP_NODELAY only on sockets that say they are TCP.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
    except OSError as problem:
        sock.close()
        raise SystemExit(f"cannot listen on {host}:{port}: {problem.strerror or problem}") from problem
    return sock


async def _serve(options: argparse.Namespace, sock: socket.socket) -> None:
    now = wall_clock()
    relax_collector()
    cluster = Cluster(nodes=options.nodes, seed=options.seed, start=rfc3339(now - LEAD_IN))
    if options.speed not in (0, "max"):  # "max" runs ahead of the wall clock by itself
        cluster.advance_to(max(cluster.clock.now, now))
    driver = Driver(cluster, options.speed)
    certificates = None if options.insecure_http else pki.make(now)
    app = ClusterApp(cluster, driver=driver, resolve=peer_user, admin=options.insecure_http)
    config = uvicorn.Config(
        cast(Any, app),
        http=_Http,
        ws=_WebSocket,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
        ws_max_size=4 << 20,
    )
    port = sock.getsockname()[1]
    host = f"[{options.host}]" if ":" in options.host else options.host
    address = f"{'http' if options.insecure_http else 'https'}://{host}:{port}"
    if certificates is not None:
        _use_tls(config, certificates)
    server = _Server(config)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, lambda: setattr(server, "should_exit", True))
    serving = asyncio.ensure_future(server.serve(sockets=[sock]))
    while not server.started and not serving.done():
        await asyncio.sleep(0.005)
    if server.started:
        _write_private(options.kubeconfig, pki.kubeconfig(address, certificates))
        print(f"Drydock cluster at {address} (kubeconfig {options.kubeconfig})", flush=True)
    await serving


def _use_tls(config: uvicorn.Config, certificates: pki.Certificates) -> None:
    """TLS that asks for a client certificate and verifies it, but lets bearer tokens through without one."""
    # The standard library reads certificates from files only; these vanish at once.
    with tempfile.TemporaryDirectory(prefix="drydock-pki-") as folder:
        paths = {name: str(Path(folder, name)) for name in ("ca.crt", "server.crt", "server.key")}
        _write_private(Path(paths["ca.crt"]), certificates.ca.decode())
        _write_private(Path(paths["server.crt"]), certificates.server.certificate.decode())
        _write_private(Path(paths["server.key"]), certificates.server.key.decode())
        config.ssl_certfile, config.ssl_keyfile = paths["server.crt"], paths["server.key"]
        config.ssl_ca_certs, config.ssl_cert_reqs = paths["ca.crt"], ssl.CERT_OPTIONAL
        config.load()


def _write_private(path: Path, text: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)


def main(argv: list[str] | None = None) -> int:
    """The command line. Returns the exit code."""
    options = _arguments(sys.argv[1:] if argv is None else argv)
    if not 0 <= options.port <= 65_535:
        raise SystemExit(f"--port must be between 0 and 65535, found {options.port}")
    if not 1 <= options.nodes <= 5_000:
        raise SystemExit(f"--nodes must be between 1 and 5000, found {options.nodes}")
    if not options.kubeconfig.parent.is_dir():
        raise SystemExit(f"--kubeconfig: there is no folder {options.kubeconfig.parent}")
    sock = _listen(options.host, options.port)
    try:
        asyncio.run(_serve(options, sock))
    finally:
        sock.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
