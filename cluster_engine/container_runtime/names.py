"""Image names: ``nginx`` is ``docker.io/library/nginx:latest``. Models github.com/distribution/reference."""

from __future__ import annotations

import string
from dataclasses import dataclass
from functools import lru_cache

_LIMIT = 512
_NAME = frozenset(string.ascii_lowercase + string.digits + "._-")
_TAG = frozenset(string.ascii_letters + string.digits + "._-")
_HEX = frozenset("0123456789abcdef")


class InvalidImageName(ValueError):
    """The text is no image reference; str() is what containerd's parser says."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A parsed image name. ``tag`` is "latest" when neither tag nor digest was given."""

    repository: str
    tag: str
    digest: str = ""

    def __str__(self) -> str:
        text = f"{self.repository}:{self.tag}" if self.tag else self.repository
        return f"{text}@{self.digest}" if self.digest else text


def _component(part: str) -> bool:
    return bool(part) and part[0].isalnum() and part[-1].isalnum() and not set(part) - _NAME


def _domain(part: str) -> bool:
    return "." in part or ":" in part or part == "localhost" or part.lower() != part


@lru_cache(maxsize=1024)
def parse(text: str) -> Reference:
    """The full reference. Raises InvalidImageName."""
    if not text or len(text) > _LIMIT:
        raise InvalidImageName("invalid reference format")
    name, at, digest = text.partition("@")
    if at and not (digest.startswith("sha256:") and len(digest) == 71 and not set(digest[7:]) - _HEX):
        raise InvalidImageName("invalid reference format")
    path, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:
        path, tag = name, ""
        colon = ""
    if colon and (not tag or len(tag) > 128 or set(tag) - _TAG or tag[0] in ".-"):
        raise InvalidImageName("invalid reference format")
    first, slash, rest = path.partition("/")
    if slash and _domain(first):
        domain = first
    else:
        domain, rest = "docker.io", path
    if rest.lower() != rest:
        raise InvalidImageName(
            f"invalid reference format: repository name (library/{rest.split(':')[0]}) must be lowercase"
        )
    if not all(_component(part) for part in rest.split("/")):
        raise InvalidImageName("invalid reference format")
    if domain in ("docker.io", "index.docker.io"):
        domain = "docker.io"
        if "/" not in rest:
            rest = f"library/{rest}"
    return Reference(f"{domain}/{rest}", tag if tag or digest else "latest", digest)
