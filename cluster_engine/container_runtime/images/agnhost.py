"""agnhost: the test image of Kubernetes, of which a few subcommands are here."""

from __future__ import annotations

from cluster_engine.container_runtime.image import Image, tags
from cluster_engine.container_runtime.network import HttpReply, HttpRequest
from cluster_engine.container_runtime.process import Launch, Plan, once
from cluster_engine.shell.vfs import Vfs
from cluster_engine.sim import rfc3339


def _port(launch: Launch, default: int) -> int:
    for index, word in enumerate(launch.argv):
        name, equals, value = word.lstrip("-").partition("=")
        if name in ("http-port", "port"):
            if not equals and index + 1 < len(launch.argv):
                value = launch.argv[index + 1]
            if value.isdigit() and len(value) < 6:
                return int(value)
    return default


def _netexec(request: HttpRequest, vfs: Vfs, launch: Launch) -> HttpReply:
    path = request.path.partition("?")[0]
    if path in ("/", "/healthz"):
        return HttpReply(200, f"NOW: {rfc3339(launch.started_at)}\n".encode() if path == "/" else b"")
    if path == "/hostname":
        return HttpReply(200, launch.hostname.encode())
    if path == "/clientip":
        return HttpReply(200, f"{request.source}:40000".encode())
    if path == "/echo":
        return HttpReply(200, request.path.partition("msg=")[2].encode())
    return HttpReply(404, b"404 page not found\n")


def _hostname(request: HttpRequest, vfs: Vfs, launch: Launch) -> HttpReply:
    return HttpReply(200, launch.hostname.encode())


def _main(launch: Launch) -> Plan:
    command = next((w for w in launch.argv[1:] if not w.startswith("-")), "")
    if command == "pause":
        return Plan(log=((5_000, "stdout", "Paused"),), on_term=(5_000, 0))
    if command == "netexec":
        port = _port(launch, 8080)
        return Plan(ports=((port, 20_000),), http=_netexec, on_term=(5_000, 0))
    if command == "serve-hostname":
        port = _port(launch, 9376)
        return Plan(ports=((port, 20_000),), http=_hostname, on_term=(5_000, 0))
    if command == "test-webserver":
        port = _port(launch, 80)
        return Plan(ports=((port, 20_000),), http=_hostname, on_term=(5_000, 0))
    if command == "liveness":
        return Plan(ports=((8080, 20_000),), http=_liveness, on_term=(0, 2))
    return once(f"agnhost: the subcommand {command!r} is not simulated here", 1, "stderr")


def _liveness(request: HttpRequest, vfs: Vfs, launch: Launch) -> HttpReply:
    # Upstream's tutorial image: well for ten seconds, then failing. The request carries its own time.
    age = (int(request.headers.get("x-virtual-time", "0")) - launch.started_at) // 1_000_000
    if age > 10:
        return HttpReply(500, f"error: {age}.0".encode())
    return HttpReply(200, b"ok")


IMAGE = Image(
    repository="registry.k8s.io/e2e-test-images/agnhost",
    variants={
        name: variant
        for version in ("2.40", "2.43", "2.45", "2.47", "2.52", "2.53", "2.56", "2.57")
        for name, variant in tags(51_000_000 + int(version[2:]) * 10_007, version, version).items()
    },
    entrypoint=("/agnhost",),
    cmd=("pause",),
    programs={"agnhost": _main},
    tools="busybox",
)
