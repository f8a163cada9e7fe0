"""The registries that nodes pull from: the table of images, what a cluster brings along, and the errors of what is
in neither.

The texts are containerd's (core/remotes/docker, internal/cri/server/images).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


_BUILT_IN = {image.repository: image for image in IMAGES}

Builds = Mapping[str, Mapping[str, Image]]
"""Repository -> tag -> the image of that build alone, of images that a cluster brings along."""


@lru_cache(maxsize=512)
def canonical(repository: str) -> str:
    """The repository that a mirror serves under this name; mostly the name itself."""
    for mirror, original in _MIRRORS.items():
        if repository.startswith(mirror):
            return original + repository.removeprefix(mirror)
    return repository


def is_built_in(repository: str) -> bool:
    """Whether every cluster's registries have it."""
    return canonical(repository) in _BUILT_IN


class Registry:
    """What one cluster's nodes can pull: the table of images, and those that the cluster brings along."""

    def __init__(self, declared: Builds | None = None) -> None:
        """No repository of ``declared`` may be a built-in one."""
        self._declared = declared or {}
        self._hosts = frozenset(name.partition("/")[0] for name in self._declared)
        self.find = lru_cache(maxsize=1_024)(self._find)

    def home(self, reference: str) -> Registry:
        """The one that all clusters share, if the image is that one's: what is made of it is made once."""
        return self if self._declared and parse(reference).repository in self._declared else BUILT_IN

    def private(self, reference: Reference) -> bool:
        """Whether its registry wants to know who pulls it."""
        image = _BUILT_IN.get(canonical(reference.repository))
        return image is not None and bool(image.logins)

    def opens(self, reference: Reference, logins: Sequence[Login]) -> bool:
        """Whether one of these may pull it."""
        image = _BUILT_IN.get(canonical(reference.repository))
        if image is None or not image.logins:
            return True
        return any(image.logins.get(user) == password for user, password in logins)

    def pull(
        self, reference: Reference, logins: Sequence[Login] = (), failing: Sequence[str] = ()
    ) -> tuple[Image, str]:
        """As ``resolve``, for somebody who has these credentials. Raises PullError."""
        if self.opens(reference, logins) or _domain(reference) in failing:
            return self.resolve(reference, failing)
        domain, _, path = reference.repository.partition("/")
        denied = "pull access denied, repository does not exist or may require authorization:"
        if domain == "docker.io":
            scope = quote(f"repository:{path}:pull", safe="")
            token = f"https://auth.docker.io/token?scope={scope}&service=registry.docker.io"
            wrong = (
                "failed to authorize: failed to fetch oauth token: "
                f"unexpected status from GET request to {token}: 401"
            )
            nobody = f"{denied} server message: insufficient_scope: authorization failed"
        else:
            place = f"https://{domain}/v2/{path}/manifests/{reference.tag or reference.digest}"
            wrong = f"unexpected status from HEAD request to {place}: 401"
            nobody = f"{denied} authorization failed: no basic auth credentials"
        raise PullError(f"{_prefix(reference)}: {f'{wrong} Unauthorized' if logins else nobody}")

    def resolve(self, reference: Reference, failing: Sequence[str] = ()) -> tuple[Image, str]:
        """The image and the tag of its build; of ``failing`` registries none. Raises PullError with containerd's
        words."""
        prefix, domain = _prefix(reference), _domain(reference)
        if domain in failing:
            host, path = _HOSTS.get(domain, domain), reference.repository.split("/", 1)[1]
            raise PullError(
                f"{prefix}: unexpected status from HEAD request to "
                f"https://{host}/v2/{path}/manifests/{reference.tag or reference.digest}: 503 Service Unavailable"
            )
        if builds := self._declared.get(reference.repository):
            found = _declared_build(builds, reference)
        else:
            found = self._build(_BUILT_IN.get(canonical(reference.repository)), reference, prefix, domain)
        if found is None:
            raise PullError(f"rpc error: code = NotFound desc = {prefix}: {reference}: not found")
        return found

    def _build(
        self, image: Image | None, reference: Reference, prefix: str, domain: str
    ) -> tuple[Image, str] | None:
        if image is None:
            self._refuse(reference, prefix, domain)
        elif reference.digest:
            for tag in image.variants:
                if image.digest(tag) == reference.digest:
                    return image, tag
        elif reference.tag in image.variants:
            return image, reference.tag
        elif (variant := nearest(image, reference.tag)) is not None:
            return replace(image, variants={**image.variants, reference.tag: variant}), reference.tag
        return None

    def _refuse(self, reference: Reference, prefix: str, domain: str) -> None:
        """Raises PullError for a repository that is nowhere, unless its registry simply has not got it."""
        if domain == "docker.io":
            raise PullError(
                f"{prefix}: pull access denied, repository does not exist or may require authorization: "
                "server message: insufficient_scope: authorization failed"
            )
        if domain in _PUBLIC or domain in self._hosts:
            return
        host, path = domain.split(":")[0], reference.repository.split("/", 1)[1]
        raise PullError(
            f"{prefix}: failed to do request: Head "
            f'"https://{domain}/v2/{path}/manifests/{reference.tag or reference.digest}": '
            f"dial tcp: lookup {host} on 172.18.0.1:53: no such host"
        )

    def _find(self, name: str) -> tuple[Image, str]:
        """As ``resolve``, from an image name that is known to be good."""
        return self.resolve(parse(name))


def _declared_build(builds: Mapping[str, Image], reference: Reference) -> tuple[Image, str] | None:
    if not reference.digest:
        return (builds[reference.tag], reference.tag) if reference.tag in builds else None
    return next(
        ((image, tag) for tag, image in builds.items() if image.digest(tag) == reference.digest), None
    )


def _domain(reference: Reference) -> str:
    return reference.repository.split("/", 1)[0]


def _prefix(reference: Reference) -> str:
    return f'failed to pull and unpack image "{reference}": failed to resolve reference "{reference}"'


BUILT_IN = Registry()
"""What every cluster's nodes can pull."""
find, resolve = BUILT_IN.find, BUILT_IN.resolve
