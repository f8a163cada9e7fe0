"""The credentials that a Pod's imagePullSecrets, and then its node, hold for an image. Pure.

Models pkg/credentialprovider (keyring.go: where a name matches, config.go: what a Secret holds).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any

import orjson

from cluster_engine.apimachinery.cow import JSON

_HUB = ("index.docker.io", "docker.io")
_KEYS = {"kubernetes.io/dockerconfigjson": ".dockerconfigjson", "kubernetes.io/dockercfg": ".dockercfg"}


NODE_FILE = "/var/lib/kubelet/config.json"
"""Where a node has its own."""
MAX_NODE_FILE = 64 * 1024
"""Bytes of it that are read; a longer one counts as none."""


def logins(secrets: Iterable[JSON], repository: str, node_file: str = "") -> list[tuple[str, str]]:
    """(user, password) of all entries for a repository: those of the Secrets, then those of the node's file (byte
    text), of each those first that name it closest.
    """
    of_secrets = [pair for secret in secrets for pair in _entries(secret).items()]
    of_node = _auths(node_file.encode("latin-1")) if len(node_file) <= MAX_NODE_FILE else {}
    return [*_fitting(of_secrets, repository), *_fitting(of_node.items(), repository)]


def _fitting(entries: Iterable[tuple[str, Any]], repository: str) -> list[tuple[str, str]]:
    found = []
    for server, entry in entries:
        place, login = _place(server), _login(entry)
        if login is not None and _matches(place, repository):
            found.append((place, login))
    found.sort(key=lambda each: each[0], reverse=True)
    return [login for _, login in found]


def _entries(secret: JSON) -> dict[str, Any]:
    key = _KEYS.get(secret.get("type") or "")
    text = (secret.get("data") or {}).get(key) if key else None
    if not text:
        return {}
    try:
        data = base64.b64decode(text)
    except (ValueError, binascii.Error):
        return {}
    return _auths(data) if key == ".dockerconfigjson" else _object(data)


def _auths(data: bytes) -> dict[str, Any]:
    """The entries of a config.json, by server."""
    found = _object(data).get("auths")
    return found if isinstance(found, dict) else {}


def _object(data: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(data)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _login(entry: Any) -> tuple[str, str] | None:
    if not isinstance(entry, dict):
        return None
    user, password, auth = entry.get("username"), entry.get("password"), entry.get("auth")
    if isinstance(auth, str) and auth:
        try:
            user, _, password = base64.b64decode(auth).decode().partition(":")
        except (ValueError, binascii.Error):
            return None
    return (user, password) if isinstance(user, str) and isinstance(password, str) and user else None


def _place(server: str) -> str:
    """A server's name as the keyring keeps it: without scheme, and without the version of the registry's API."""
    _, mark, rest = server.partition("://")
    place = rest if mark else server
    for version in ("/v1", "/v2"):
        if place.startswith(version) or place.rstrip("/").endswith(version):
            place = place.rstrip("/").removesuffix(version)
    return place.rstrip("/")


def _matches(place: str, repository: str) -> bool:
    """URLsMatchStr: each label of the host by its pattern, the path by its beginning."""
    host, _, path = place.partition("/")
    wanted, _, rest = repository.partition("/")
    if wanted == "docker.io" and host in _HUB:
        return rest.startswith(path)
    labels, names = host.split("."), wanted.split(".")
    same = len(labels) == len(names) and all(map(fnmatchcase, names, labels))
    return same and rest.startswith(path)
