"""ingress-nginx: its controller, and the program that makes its webhook's certificate."""

from __future__ import annotations

from collections.abc import Mapping

from cluster_engine.container_runtime.image import PATH, Image, Variant, alpine_files, tags
from cluster_engine.container_runtime.images._ingress import certgen, controller
from cluster_engine.linux.program import Event, Program, State, Sys

_SHUTDOWN = Program("wait-shutdown", run=lambda sys, argv: 0)


def _dumb_init(sys: Sys, state: State, event: Event) -> State:
    words = [word for word in sys.argv[1:] if word != "--"]
    if not words:
        sys.err("Usage: dumb-init [option] program [args]\n")
        sys.exit(1)
    sys.exec(words)


def _programs(variant: Variant) -> Mapping[str, Program]:
    return {
        "/usr/bin/dumb-init": Program("dumb-init", on=_dumb_init),
        "/nginx-ingress-controller": controller.program(variant),
        "/wait-shutdown": _SHUTDOWN,
    }


def _controller(repository: str) -> Image:
    return Image(
        repository=repository,
        variants={
            **tags(104_000_000, "v1.13.3", "v1.13.3", "v1.13.0", flavor="alpine"),
            **tags(103_000_000, "v1.12.1", "v1.12.1", "v1.12.0", flavor="alpine"),
            **tags(105_000_000, "v1.11.2", "v1.11.2", "v1.11.0", flavor="alpine"),
            **tags(100_000_000, "v1.8.1", "v1.8.1", "v1.8.0", flavor="alpine"),
        },
        since=(0, 40),
        entrypoint=("/usr/bin/dumb-init", "--"),
        cmd=("/nginx-ingress-controller",),
        env={"PATH": PATH},
        ports=(80, 443),
        steady=True,
        workdir="/etc/nginx",
        uid=101,
        gid=82,
        tools="busybox",
        also=("bash", "curl"),
        files=alpine_files,
        programs=_programs,
        memory=90 << 20,
    )


def _certgen(repository: str) -> Image:
    return Image(
        repository=repository,
        variants=tags(
            24_000_000, "v1.6.3", "v1.6.3", "v1.5.2", "v1.4.4", "v1.4.3", "v1.4.1", "v20231011-8b53cabe0"
        ),
        since=(1, 0),
        entrypoint=("/kube-webhook-certgen",),
        uid=65532,
        gid=65532,
        programs=lambda variant: {"/kube-webhook-certgen": certgen.PROGRAM},
    )


IMAGES: tuple[Image, ...] = (
    _controller("registry.k8s.io/ingress-nginx/controller"),
    _certgen("registry.k8s.io/ingress-nginx/kube-webhook-certgen"),
    _certgen("docker.io/jettech/kube-webhook-certgen"),
)
