"""The images that a cluster itself runs on: pause, the control plane, kube-proxy, CoreDNS."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cluster_engine.component_helpers.egress_selection import FLAG, socket_of
from cluster_engine.component_helpers.root_certificate import CA_PEM
from cluster_engine.container_runtime import coredns, etcdctl
from cluster_engine.container_runtime.http import Line, Reply, Request, Server, klog, server
from cluster_engine.container_runtime.image import GIVES_UP, MB, Image, Variant, tags
from cluster_engine.linux import tls
from cluster_engine.linux.errors import FileError
from cluster_engine.linux.program import Event, Program, State, Sys
from cluster_engine.sim import rfc3339
from cluster_engine.version import KUBERNETES_VERSION

VERSION = f"v{KUBERNETES_VERSION}"


_HEALTH = ("health", "healthz", "livez", "readyz")
_API_NAMES = (
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
    "localhost",
    "127.0.0.1",
    "10.96.0.1",
)
_FORWARDED = ("accept", "authorization", "content-type", "user-agent")
_NOT_HERE = (
    "Drydock does not simulate what this component serves to Pods, its health aside (a real cluster does).\n"
)
_TEXT = {"Content-Type": "text/plain; charset=utf-8"}


def _healthy(sys: Sys, state: State, request: Request) -> Reply:
    """Only its health: all else is answered from outside the network, or not at all."""
    asked = request.path.partition("?")[0].strip("/").partition("/")[0]
    return Reply(200, "ok", _TEXT) if asked in _HEALTH else Reply(501, _NOT_HERE, _TEXT)


def _asks(request: Request) -> Any:
    """The API server's own answers; its health it knows by itself."""
    if request.path.partition("?")[0].strip("/").partition("/")[0] in _HEALTH:
        return None
    headers = {
        name: value
        for name, value in request.headers.items()
        if name in _FORWARDED or name.startswith("impersonate-")
    }
    return [request.method, request.path, headers, request.body]


def _certificate(sys: Sys) -> tls.Certificate:
    """What kubeadm makes for the API server: signed by the authority that Pods are told to trust."""
    own = [word.partition("=")[2] for word in sys.argv if word.startswith("--advertise-address=")]
    names = (*_API_NAMES, sys.hostname, *own)
    return tls.Certificate("kube-apiserver", names, "kubernetes", *tls.authorities(CA_PEM))


def _egress(sys: Sys) -> tuple[int, str]:
    """An API server that cannot read how it is to reach the cluster does not start."""
    for word in sys.argv:
        name, _, path = word.partition("=")
        if name != f"--{FLAG}" or not path:
            continue
        if not sys.fs.exists(path):
            return _failed(sys, f"{FLAG} {path} does not exist")
        try:
            socket_of(sys.fs.read(path))
        except FileError as error:
            read = f'unable to read egress selector configuration from "{path}"'
            return _failed(
                sys, f"failed to read egress selector config: {read} [open {path}: {error.reason.lower()}]"
            )
        except ValueError as error:
            return _failed(sys, str(error))
    return 0, ""


_ELECTED = ("kube-controller-manager", "kube-scheduler")


def _single(sys: Sys) -> tuple[int, str]:
    """There is one that acts, which the cluster's options configure: another one only waits for its lease."""
    flag = _of_another(tuple(sys.argv))
    if not flag:
        return 0, ""
    own = "the cluster's own one alone does something here, by the cluster's options"
    return _failed(sys, f"Drydock does not simulate {flag} (a real cluster does): {own}")


def _of_another(argv: tuple[str, ...]) -> str:
    """The flag that makes it one that acts beside the cluster's own, or otherwise; "" for none."""
    for word in argv[1:]:
        flag = word.partition("=")[0]
        if flag in ("--config", "--leader-elect-resource-name") or word == "--leader-elect=false":
            return flag
    return ""


def _failed(sys: Sys, why: str) -> tuple[int, str]:
    _, line = klog(sys, f'run.go:72] "command failed" err={json.dumps(why)}', "E")
    return 1, f"{line}\n"


def _component(
    name: str,
    ports: tuple[int, ...],
    memory: int,
    *texts: str,
    secure: bool = True,
    repository: str = "",
    version: str = VERSION,
    path: str = "",
    since: tuple[int, ...] = (),
    api: bool = False,
) -> Image:
    def first(sys: Sys) -> list[Line]:
        return [klog(sys, f'server.go:180] "Starting {name}" version="{version}"')]

    def ready(sys: Sys) -> list[Line]:
        return [klog(sys, text) for text in texts]

    port, *more = ports
    given = Server(
        _healthy,
        port=lambda sys: port,
        more=tuple(more),
        first=first,
        ready=ready,
        after=300_000,
        stops={"TERM": (300_000, 0), "INT": (300_000, 0), GIVES_UP: (0, 1)},
        tls=secure,
    )
    if api:
        given = replace(given, certificate=_certificate, asks=_asks, check=_egress)
    elif name in _ELECTED:
        given = replace(given, check=_single)

    def programs(variant: Variant) -> Mapping[str, Program]:
        return {path or f"/usr/local/bin/{name}": server(name, given)}

    return Image(
        repository=f"registry.k8s.io/{repository or name}",
        variants=tags(memory // 3, version, version),
        since=since,
        entrypoint=(path or name,),
        ports=ports,
        steady=True,
        programs=programs,
        memory=memory,
        idle=True,
        stirred=(lambda argv: bool(_of_another(argv))) if name in _ELECTED else lambda argv: False,
    )


def _candidate(name: str) -> str:
    return f'leaderelection.go:258] "Attempting to acquire leader lease..." lock="kube-system/{name}"'


def _etcd(variant: Variant) -> Mapping[str, Program]:
    def line(sys: Sys, message: str) -> Line:
        stamp = rfc3339(sys.now).replace("Z", ".000000Z")
        text = f'{{"level":"info","ts":"{stamp}","caller":"embed/serve.go:210","msg":"{message}"}}'
        return ("stderr", text)

    given = Server(
        _healthy,
        port=lambda sys: 2379,
        more=(2380, 2381),
        first=lambda sys: [line(sys, "Running etcd")],
        ready=lambda sys: [line(sys, "ready to serve client requests")],
        after=200_000,
        stops={"TERM": (200_000, 0), "INT": (200_000, 0)},
        health=lambda sys, state, service: "OK SERVING",
    )
    return {"/usr/local/bin/etcd": server("etcd", given), "/usr/local/bin/etcdctl": etcdctl.PROGRAM}


def _pause(variant: Variant) -> Mapping[str, Program]:
    def on(sys: Sys, state: State, event: Event) -> State:
        if event[0] == "signal":
            sys.exit(0)
        sys.trap("TERM", "catch")
        sys.trap("INT", "catch")
        return state

    return {"/pause": Program("pause", on=on)}


_OLDER_ETCD = {
    f"{version}-0": Variant(56_000_000, version)
    for version in (
        "3.4.13",
        "3.5.1",
        "3.5.6",
        "3.5.9",
        "3.5.12",
        "3.5.15",
        "3.5.16",
        "3.5.21",
        "3.5.24",
        "3.6.4",
        "3.6.5",
    )
}

IMAGES: tuple[Image, ...] = (
    Image(
        repository="registry.k8s.io/pause",
        since=(1, 0),
        variants={
            **tags(320_448, "3.10.2", "3.10.2", "3.10.1", "3.10", "latest"),
            **tags(319_962, "3.9", "3.9"),
        },
        entrypoint=("/pause",),
        uid=65535,
        gid=65535,
        programs=_pause,
        memory=MB // 2,
        idle=True,
    ),
    _component(
        "kube-apiserver",
        (6443,),
        290 * MB,
        'secure_serving.go:211] "Serving securely on [::]:6443"',
        'controller.go:78] "Starting OpenAPI AggregationController"',
        api=True,
    ),
    _component("kube-controller-manager", (10257,), 70 * MB, _candidate("kube-controller-manager")),
    _component("kube-scheduler", (10259,), 30 * MB, _candidate("kube-scheduler")),
    _component(
        "kube-proxy",
        (10249, 10256),
        25 * MB,
        'server_linux.go:63] "Using iptables proxy"',
        'shared_informer.go:356] "Caches are synced" controller="service config"',
        secure=False,
    ),
    _component(
        "metrics-server",
        (10250,),
        40 * MB,
        'secure_serving.go:211] "Serving securely on [::]:10250"',
        repository="metrics-server/metrics-server",
        version="v0.8.0",
        path="/metrics-server",
        since=(0, 3),
    ),
    Image(
        repository="registry.k8s.io/etcd",
        variants={
            **tags(23_641_797, "3.7.0", "3.7.0-0"),
            **tags(22_871_747, "3.6.6", "3.6.6-0"),
            **_OLDER_ETCD,
        },
        cmd=("etcd",),
        ports=(2379, 2380, 2381),
        steady=True,
        programs=_etcd,
        memory=60 * MB,
        idle=True,
    ),
    Image(
        repository="registry.k8s.io/coredns/coredns",
        since=(1, 6, 5),
        variants={
            **tags(23_931_000, "v1.14.6", "v1.14.6"),
            **tags(23_901_000, "v1.14.3", "v1.14.3"),
            **tags(22_385_312, "v1.12.4", "v1.12.4"),
            **tags(22_384_805, "v1.12.1", "v1.12.1"),
        },
        entrypoint=("/coredns",),
        ports=(53, 8080, 8181, 9153),
        steady=True,
        uid=65532,
        gid=65532,
        programs=coredns.programs,
        memory=20 * MB,
        idle=True,
    ),
)
