"""The registries that nodes pull from: the table of images and the errors of what is not in it.

The texts are containerd's (core/remotes/docker, internal/cri/server/images).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from urllib.parse import quote

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
    "gcr.io/google-containers/": "registry.k8s.io/",
    "gcr.io/google_samples/": "gcr.io/google-samples/",
}
"""Registries that serve what another one has, by the beginning of the name."""


_HOSTS = {"docker.io": "registry-1.docker.io"}
"""Where registries are that are not at their names."""

Login = tuple[str, str]
"""A user of a registry, and the password."""


class PullError(Exception):
    """The pull failed; str() is what the kubelet gets from the runtime."""


_BY_REPOSITORY = {image.repository: image for image in IMAGES}


@lru_cache(maxsize=512)
def _canonical(repository: str) -> str:
    for mirror, original in _MIRRORS.items():
        if repository.startswith(mirror):
            return original + repository.removeprefix(mirror)
    return repository


def private(reference: Reference) -> bool:
    """Whether its registry wants to know who pulls it."""
    image = _BY_REPOSITORY.get(_canonical(reference.repository))
    return image is not None and bool(image.logins)


def opens(reference: Reference, logins: Sequence[Login]) -> bool:
    """Whether one of these may pull it."""
    image = _BY_REPOSITORY.get(_canonical(reference.repository))
    if image is None or not image.logins:
        return True
    return any(image.logins.get(user) == password for user, password in logins)


def pull(
    reference: Reference, logins: Sequence[Login] = (), failing: Sequence[str] = ()
) -> tuple[Image, str]:
    """As ``resolve``, for somebody who has these credentials. Raises PullError."""
    if opens(reference, logins) or _domain(reference) in failing:
        return resolve(reference, failing)
    domain, _, path = reference.repository.partition("/")
    denied = "pull access denied, repository does not exist or may require authorization:"
    if domain == "docker.io":
        scope = quote(f"repository:{path}:pull", safe="")
        token = f"https://auth.docker.io/token?scope={scope}&service=registry.docker.io"
        wrong = f"failed to authorize: failed to fetch oauth token: unexpected status from GET request to {token}: 401"
        nobody = f"{denied} server message: insufficient_scope: authorization failed"
    else:
        place = f"https://{domain}/v2/{path}/manifests/{reference.tag or reference.digest}"
        wrong = f"unexpected status from HEAD request to {place}: 401"
        nobody = f"{denied} authorization failed: no basic auth credentials"
    raise PullError(f"{_prefix(reference)}: {f'{wrong} Unauthorized' if logins else nobody}")


def _domain(reference: Reference) -> str:
    return reference.repository.split("/", 1)[0]


def _prefix(reference: Reference) -> str:
    return f'failed to pull and unpack image "{reference}": failed to resolve reference "{reference}"'


def resolve(reference: Reference, failing: Sequence[str] = ()) -> tuple[Image, str]:
    """The image and the tag of its build; of ``failing`` registries none. Raises PullError with containerd's words."""
    image = _BY_REPOSITORY.get(_canonical(reference.repository))
    prefix, domain = _prefix(reference), _domain(reference)
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
