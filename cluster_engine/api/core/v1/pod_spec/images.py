"""Reading the tag of an image name.

Models pkg/util/parsers and github.com/distribution/reference.
"""

from __future__ import annotations

import re
from functools import lru_cache

_MAX_NAME = 255
_PATH = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*")
_PART = "[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_DOMAIN = re.compile(rf"{_PART}(?:\.{_PART})*(?::[0-9]+)?")
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
_DIGEST = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}")


@lru_cache(maxsize=2048)
def tag_of(image: str) -> str:
    """The tag; "latest" when there is neither tag nor digest; "" with a digest or for a malformed name."""
    if len(image) > 2 * _MAX_NAME:
        return ""
    name, at, digest = image.partition("@")
    if at and not _DIGEST.fullmatch(digest):
        return ""
    head, slash, last = name.rpartition("/")
    last, colon, tag = last.partition(":")
    if colon and not _TAG.fullmatch(tag):
        return ""
    parts = (head + slash + last).split("/")
    first = parts[0]
    if len(parts) > 1 and ("." in first or ":" in first or first == "localhost" or first.lower() != first):
        if not _DOMAIN.fullmatch(first):
            return ""
        parts = parts[1:]
    if not all(_PATH.fullmatch(part) for part in parts):
        return ""
    if colon:
        return tag
    return "" if at else "latest"


def pull_policy(image: str) -> str:
    """The pull policy of an image that names none."""
    return "Always" if tag_of(image) == "latest" else "IfNotPresent"
