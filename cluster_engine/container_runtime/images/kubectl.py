"""kubectl, as several have packed it: bitnami's and rancher's, the one of registry.k8s.io, and alpine/k8s."""

from __future__ import annotations

from collections.abc import Mapping

from cluster_engine.container_runtime import kubectl
from cluster_engine.container_runtime.image import PATH, Image, Variant, alpine_files, debian_files, tags
from cluster_engine.linux.program import Program


def _at(path: str) -> dict[str, Program]:
    return {path: kubectl.PROGRAM}


def _bitnami(variant: Variant) -> Mapping[str, Program]:
    return _at("/opt/bitnami/kubectl/bin/kubectl")


def _plain(variant: Variant) -> Mapping[str, Program]:
    return _at("/bin/kubectl")


def _tools(variant: Variant) -> Mapping[str, Program]:
    return _at("/usr/bin/kubectl")


def _packed_by_bitnami(repository: str) -> Image:
    return Image(
        repository=repository,
        variants=tags(110_000_000, "1.37.0", "latest", "1.37.0", "1.37", "1.36", "1.35"),
        since=(1, 16),
        entrypoint=("kubectl",),
        cmd=("--help",),
        env={"PATH": f"/opt/bitnami/kubectl/bin:{PATH}"},
        uid=1001,
        tools="debian",
        files=debian_files,
        programs=_bitnami,
    )


IMAGES: tuple[Image, ...] = (
    _packed_by_bitnami("docker.io/bitnami/kubectl"),
    _packed_by_bitnami("docker.io/bitnamilegacy/kubectl"),
    Image(
        repository="registry.k8s.io/kubectl",
        variants=tags(20_000_000, "v1.37.0", "v1.37.0", "v1.36.0"),
        since=(1, 28),
        entrypoint=("/bin/kubectl",),
        env={"PATH": PATH},
        programs=_plain,
    ),
    Image(
        repository="docker.io/rancher/kubectl",
        variants=tags(20_000_000, "v1.37.0", "v1.37.0", "v1.36.0", "v1.30.0"),
        since=(1, 20),
        entrypoint=("/bin/kubectl",),
        cmd=("help",),
        env={"PATH": PATH},
        uid=1000,
        programs=_plain,
    ),
    Image(
        repository="docker.io/alpine/k8s",
        variants=tags(260_000_000, "1.37.0", "1.37.0", "1.36.0", flavor="alpine"),
        since=(1, 14),
        cmd=("bash",),
        env={"PATH": PATH},
        workdir="/apps",
        tools="busybox",
        also=("bash", "curl", "jq"),
        files=alpine_files,
        programs=_tools,
    ),
)
