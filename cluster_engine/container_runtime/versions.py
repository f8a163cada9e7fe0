"""Which build a tag means that no file lists: any plausible version of a known image has one.

A registry holds hundreds of tags of an image; its file lists those whose builds differ. A tag like ``1.16.0`` or
``3.12-slim-bookworm`` means the nearest of these, and that build then says the version that was asked for.
"""

from __future__ import annotations

import re
from dataclasses import replace

from cluster_engine.container_runtime.image import Image, Variant

MINORS = 99
"""The highest minor version that is taken for plausible where no build of that major version is known."""
PATCHES = 99
"""The same of patch versions."""

_TAG = re.compile(
    r"(v?)(0|[1-9]\d{0,3})(?:\.(\d{1,4}))?(?:\.(\d{1,4}))?(?:-([a-z][a-z0-9.-]{0,40}))?\Z", re.ASCII
)
_BASES = (
    "slim", "bookworm", "bullseye", "buster", "stretch", "jessie", "trixie", "perl", "musl", "glibc", "uclibc",
    "management", "apache", "fpm",
)  # fmt: skip
_KINDS = ("slim", "management")
"""Of these there are builds of their own."""
_PHP = re.compile(r"php[5-8]\.\d\Z", re.ASCII)
_ALPINE = re.compile(r"alpine(3\.\d{1,2})?\Z", re.ASCII)

Version = tuple[int, ...]


def nearest(image: Image, tag: str) -> Variant | None:
    """The build that an unlisted tag means; None when such a tag was hardly ever there."""
    if not image.since:
        return None
    found = _TAG.match(tag)
    if found is not None and bool(found.group(1)) != any(each[0] == "v" for each in image.variants):
        return None
    numbers = found.group(2, 3, 4) if found is not None else ()
    wanted = tuple(int(number) for number in numbers if number is not None)
    base = (found.group(5) or "") if found is not None else tag
    parts = base.split("-") if base else []
    if not all(part in _BASES or _ALPINE.match(part) or _PHP.match(part) for part in parts):
        return None
    alpine = any(_ALPINE.match(part) for part in parts) or all(
        each.alpine for each in image.variants.values()
    )
    builds = [(_numbers(each.version), each) for each in image.variants.values() if each.alpine == alpine]
    if not builds or not _plausible(wanted, image.since, [known for known, _ in builds]):
        return None
    if not wanted:
        wanted = max(known for known, _ in builds)
    _, build = min(builds, key=lambda each: (_other(each[1], parts), _distance(each[0], wanted), each[0]))
    return replace(build, version=_told(wanted, build.version))


def _other(build: Variant, parts: list[str]) -> int:
    """How much else a build is than what the tag's words say."""
    return sum((kind in build.flavor) != (kind in parts) for kind in _KINDS)


def _numbers(version: str) -> Version:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])


def _plausible(wanted: Version, since: Version, known: list[Version]) -> bool:
    newest = max(known)
    if wanted < since[: len(wanted)] or wanted[:1] > newest[:1]:
        return False
    minors = [each[1] for each in known if each[:1] == wanted[:1] and len(each) > 1]
    patches = [each[2] for each in known if each[:2] == wanted[:2] and len(each) > 2]
    if len(wanted) > 1 and wanted[1] > max(minors, default=MINORS):
        return False
    return len(wanted) < 3 or wanted[2] <= max(patches, default=PATCHES)


def _distance(build: Version, wanted: Version) -> tuple[int, ...]:
    """Of the same major version first, then of the nearest minor one."""
    pairs = zip((*build, 0, 0, 0), (*wanted, 0, 0, 0), strict=False)
    return tuple(abs(one - other) for one, other in list(pairs)[: max(len(wanted), 1)])


def _told(wanted: Version, build: str) -> str:
    """The version that the build says: the one asked for, as precise as the build's own."""
    known = _numbers(build)
    if known[: len(wanted)] == wanted:
        return build
    return ".".join(str(number) for number in (*wanted, 0, 0, 0)[: max(len(known), len(wanted))])
