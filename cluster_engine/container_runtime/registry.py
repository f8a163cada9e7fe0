"""The registries that nodes pull from: the table of images and the errors of what is not in it.

The texts are containerd's (core/remotes/docker, internal/cri/server/images).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from cluster_engine.container_runtime.image import Image
from cluster_engine.container_runtime.images import IMAGES
from cluster_engine.container_runtime.names import Reference, parse
from cluster_engine.container_runtime.versions import nearest

_PUBLIC = (
    "docker.io", "registry.k8s.io", "quay.io", "ghcr.io", "gcr.io", "k8s.gcr.io", "mirror.gcr.io", "mcr.microsoft.com",
    "public.ecr.aws",
)  # fmt: skip


_MIRRORS = {
    "public.ecr.aws/docker/library/": "docker.io/library/",
    "mirror.gcr.io/library/": "docker.io/library/",
    "registry.hub.docker.com/library/": "docker.io/library/",
    "registry.cn-hangzhou.aliyuncs.com/google_containers/": "registry.k8s.io/",
    "registry.aliyuncs.com/google_containers/": "registry.k8s.io/",
    "k8s.gcr.io/": "registry.k8s.io/",
    "gcr.io/google_containers/": "registry.k8s.io/",
}
"""Registries that serve what another one has, by the beginning of the name."""


_HOSTS = {"docker.io": "registry-1.docker.io"}
"""Where registries are that are not at their names."""


class PullError(Exception):
    """The pull failed; str() is what the kubelet gets from the runtime."""


_BY_REPOSITORY = {image.repository: image for image in IMAGES}


def _canonical(repository: str) -> str:
    for mirror, original in _MIRRORS.items():
        if repository.startswith(mirror):
            return original + repository.removeprefix(mirror)
    return repository


def resolve(reference: Reference, failing: Sequence[str] = ()) -> tuple[Image, str]:
    """The image and the tag of its build; of ``failing`` registries none. Raises PullError with containerd's words."""
    image = _BY_REPOSITORY.get(_canonical(reference.repository))
    wanted = f'"{reference}"'
    prefix = f"failed to pull and unpack image {wanted}: failed to resolve reference {wanted}"
    domain = reference.repository.split("/", 1)[0]
    if domain in failing:
        host, path = _HOSTS.get(domain, domain), reference.repository.split("/", 1)[1]
        raise PullError(
            f"{prefix}: unexpected status from HEAD request to "
            f"https://{host}/v2/{path}/manifests/{reference.tag or reference.digest}: 503 Service Unavailable"
        )
    if image is None:
        if domain == "docker.io":
            raise PullError(
                f"{prefix}: pull access denied, repository does not exist or may require authorization: "
                "server message: insufficient_scope: authorization failed"
            )
        if domain in _PUBLIC:
            raise PullError(f"rpc error: code = NotFound desc = {prefix}: {reference}: not found")
        host, path = domain.split(":")[0], reference.repository.split("/", 1)[1]
        raise PullError(
            f"{prefix}: failed to do request: Head "
            f'"https://{domain}/v2/{path}/manifests/{reference.tag or reference.digest}": '
            f"dial tcp: lookup {host} on 172.18.0.1:53: no such host"
        )
    if reference.digest:
        for tag in image.variants:
            if image.digest(tag) == reference.digest:
                return image, tag
    elif reference.tag in image.variants:
        return image, reference.tag
    elif (variant := nearest(image, reference.tag)) is not None:
        return replace(image, variants={**image.variants, reference.tag: variant}), reference.tag
    raise PullError(f"rpc error: code = NotFound desc = {prefix}: {reference}: not found")


@lru_cache(maxsize=1_024)
def find(name: str) -> tuple[Image, str]:
    """As ``resolve``, from an image name that is known to be good."""
    return resolve(parse(name))
