"""From a path and a method to what is asked: verb, group, resource, namespace, name, subresource.

Models k8s.io/apiserver/pkg/endpoints/request/requestinfo.go.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote

from .types import Request

_VERBS = {
    "POST": "create",
    "GET": "get",
    "HEAD": "get",
    "PUT": "update",
    "PATCH": "patch",
    "DELETE": "delete",
}
_LONG = 512  # characters; longer paths are not worth remembering
_NAMESPACE_SUBRESOURCES = ("status", "finalize")


@dataclass(slots=True)
class RequestInfo:
    """What a request is about."""

    path: str
    verb: str
    is_resource: bool = False
    group: str = ""
    version: str = ""
    namespace: str = ""
    resource: str = ""
    subresource: str = ""
    name: str = ""
    parts: tuple[str, ...] = ()
    malformed: bool = False

    @property
    def group_resource(self) -> str:
        """The registry's name of the resource: "deployments.apps"."""
        return f"{self.resource}.{self.group}" if self.group else self.resource


def parse(request: Request) -> RequestInfo:
    """The RequestInfo of a request (shared with other requests like it: do not change it)."""
    watch = first(request, "watch")
    watches = watch is not None and watch.lower() not in ("false", "0")
    if len(request.path) > _LONG:
        return _parse.__wrapped__(request.method, request.path, watches)
    return _parse(request.method, request.path, watches)


@lru_cache(maxsize=512)
def _parse(method: str, path: str, watch: bool) -> RequestInfo:
    info = RequestInfo(path, method.lower())
    parts = path.strip("/").split("/") if path.strip("/") else []
    if "%" in path:
        parts = [unquote(part) for part in parts]
    if len(parts) < 3 or parts[0] not in ("api", "apis"):
        return info
    if parts[0] == "apis":
        if len(parts) < 4:
            return info
        info.group = parts[1]
        parts = parts[2:]
    else:
        parts = parts[1:]
    info.is_resource = True
    info.version, parts = parts[0], parts[1:]
    if parts[0] in ("proxy", "watch"):
        if len(parts) < 2:
            info.malformed = True
            return info
        info.verb, parts = parts[0], parts[1:]
    else:
        info.verb = _VERBS.get(method, "")
    if parts[0] == "namespaces" and len(parts) > 1:
        info.namespace = parts[1]
        if len(parts) > 2 and parts[2] not in _NAMESPACE_SUBRESOURCES:
            parts = parts[2:]
    info.parts = tuple(parts)
    info.resource = parts[0]
    if len(parts) >= 2:
        info.name = parts[1]
    if len(parts) >= 3 and info.verb != "proxy":
        info.subresource = parts[2]
    if not info.name and info.verb == "get":
        info.verb = "watch" if watch else "list"
    if not info.name and info.verb == "delete":
        info.verb = "deletecollection"
    return info


def first(request: Request, name: str) -> str | None:
    """The first value of a query parameter, or None."""
    for key, value in request.query:
        if key == name:
            return value
    return None


def flag(request: Request, name: str) -> bool:
    """A boolean query parameter, as Go's conversion reads it: anything but false and 0 is true."""
    value = first(request, name)
    return value is not None and value.lower() not in ("false", "0", "")
