"""The images that a cluster itself runs on: pause, the control plane, kube-proxy, CoreDNS."""

from __future__ import annotations

from cluster_engine.container_runtime.image import MB, Image, tags
from cluster_engine.container_runtime.network import HttpReply, HttpRequest
from cluster_engine.container_runtime.process import Launch, Plan
from cluster_engine.shell.vfs import Vfs
from cluster_engine.sim import rfc3339
from cluster_engine.version import KUBERNETES_VERSION

VERSION = f"v{KUBERNETES_VERSION}"


def _healthy(request: HttpRequest, vfs: Vfs, launch: Launch) -> HttpReply:
    return HttpReply(200, b"ok", {"content-type": "text/plain; charset=utf-8"})


def _klog(launch: Launch, offset: int, text: str, level: str = "I") -> tuple[int, str, str]:
    at = launch.started_at + offset
    stamp = rfc3339(at)
    return (
        offset,
        "stderr",
        f"{level}{stamp[5:7]}{stamp[8:10]} {stamp[11:19]}.{at % 1_000_000:06d}       1 {text}",
    )


def _component(name: str, ports: tuple[int, ...], memory: int, *texts: str) -> Image:
    def serve(launch: Launch) -> Plan:
        log = [_klog(launch, 50_000, f'server.go:180] "Starting {name}" version="{VERSION}"')]
        log += [_klog(launch, 120_000 + 40_000 * i, text) for i, text in enumerate(texts)]
        return Plan(
            log=tuple(log),
            ports=tuple((port, 300_000) for port in ports),
            http=_healthy,
            tls=tuple(port for port in ports if port in (6443, 10257, 10259)),
            on_term=(300_000, 0),
            memory=memory,
        )

    return Image(
        repository=f"registry.k8s.io/{name}",
        variants=tags(memory // 3, VERSION, VERSION),
        entrypoint=(name,),
        programs={name: serve},
    )


def _etcd(launch: Launch) -> Plan:
    def line(offset: int, message: str) -> tuple[int, str, str]:
        stamp = rfc3339(launch.started_at + offset).replace("Z", ".000000Z")
        return (
            offset,
            "stderr",
            f'{{"level":"info","ts":"{stamp}","caller":"embed/serve.go:210","msg":"{message}"}}',
        )

    return Plan(
        log=(line(30_000, "Running etcd"), line(90_000, "ready to serve client requests")),
        ports=((2379, 200_000), (2380, 200_000), (2381, 200_000)),
        http=_healthy,
        on_term=(200_000, 0),
        memory=60 * MB,
    )


def _coredns(launch: Launch) -> Plan:
    version = IMAGES[6].variants[launch.tag].version.removeprefix("v")
    return Plan(
        log=(
            (80_000, "stdout", ".:53"),
            (80_000, "stdout", f"CoreDNS-{version}"),
            (80_000, "stdout", "linux/amd64, go1.26.0"),
        ),
        ports=((53, 100_000), (8080, 100_000), (8181, 100_000), (9153, 100_000)),
        http=_healthy,
        on_term=(500_000, 0),
        memory=20 * MB,
    )


def _pause(launch: Launch) -> Plan:
    return Plan(on_term=(1_000, 0), memory=MB // 2)


IMAGES: tuple[Image, ...] = (
    Image(
        repository="registry.k8s.io/pause",
        variants={
            **tags(320_448, "3.10.2", "3.10.2", "3.10.1", "3.10", "latest"),
            **tags(319_962, "3.9", "3.9"),
        },
        entrypoint=("/pause",),
        uid=65535,
        programs={"pause": _pause},
    ),
    _component(
        "kube-apiserver",
        (6443,),
        290 * MB,
        'secure_serving.go:211] "Serving securely on [::]:6443"',
        'controller.go:78] "Starting OpenAPI AggregationController"',
    ),
    _component(
        "kube-controller-manager", (10257,), 70 * MB, 'leaderelection.go:272] "successfully acquired lease"'
    ),
    _component("kube-scheduler", (10259,), 30 * MB, 'leaderelection.go:272] "successfully acquired lease"'),
    _component(
        "kube-proxy",
        (10249, 10256),
        25 * MB,
        'server_linux.go:63] "Using iptables proxy"',
        'shared_informer.go:356] "Caches are synced" controller="service config"',
    ),
    Image(
        repository="registry.k8s.io/etcd",
        variants={**tags(23_641_797, "3.7.0", "3.7.0-0"), **tags(22_871_747, "3.6.6", "3.6.6-0")},
        cmd=("etcd",),
        ports=(2379,),
        programs={"etcd": _etcd},
    ),
    Image(
        repository="registry.k8s.io/coredns/coredns",
        variants={
            **tags(23_931_000, "v1.14.6", "v1.14.6"),
            **tags(23_901_000, "v1.14.3", "v1.14.3"),
            **tags(22_384_805, "v1.12.1", "v1.12.1"),
        },
        entrypoint=("/coredns",),
        ports=(53,),
        uid=65532,
        programs={"coredns": _coredns},
    ),
)
