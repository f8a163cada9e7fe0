"""The vocabulary of the API server: requests, replies, users, streams.

Everything here is plain data, free of sockets and of the event loop, so that the same request can come
from a socket, from the journal, from a test or from a component in the same process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from .trail import Record

JSON = dict[str, Any]
API_SERVER, ETCD = "kube-apiserver", "etcd"
"""The processes without which nobody can write."""
REFUSED = "dial tcp 127.0.0.1:6443: connect: connection refused"
"""What whoever asks an API server hears that does not run."""


@dataclass(frozen=True, slots=True)
class UserInfo:
    """Who asks (authentication.UserInfo)."""

    username: str
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def as_dict(self) -> JSON:
        """The JSON form used in reviews and in the journal."""
        out: JSON = {"username": self.username}
        if self.uid:
            out["uid"] = self.uid
        if self.groups:
            out["groups"] = list(self.groups)
        if self.extra:
            out["extra"] = {name: list(values) for name, values in self.extra.items()}
        return out

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> UserInfo:
        """The user that `as_dict` wrote down."""
        return cls(
            username=data.get("username", ""),
            uid=data.get("uid", ""),
            groups=tuple(data.get("groups") or ()),
            extra={name: tuple(values) for name, values in (data.get("extra") or {}).items()},
        )


ADMIN = UserInfo("kubernetes-admin", groups=("system:masters", "system:authenticated"))
ANONYMOUS = UserInfo("system:anonymous", groups=("system:unauthenticated",))


class Stream(Protocol):
    """A reply that goes on: the edge pulls what is ready and is told when more is.

    `take` never blocks; b"" means that nothing is ready now. `notify` is called (at most once per change)
    from inside a write or a clock event, so it must only set a flag.
    """

    content_type: str
    polled: bool  # True: nothing is notified, look again whenever time has passed
    timeout: float | None  # wall seconds after which the server ends the stream
    closed: bool

    def take(self) -> bytes: ...

    def tick(self) -> bytes: ...  # called by the edge once per bookmark interval

    def subscribe(self, notify: Callable[[], None]) -> None: ...

    def cancel(self) -> None: ...


@dataclass(frozen=True, slots=True)
class ExecResult:
    """What a command in a container left behind."""

    exit_code: int
    stdout: bytes = b""
    stderr: bytes = b""


@dataclass(slots=True)
class Request:
    """An HTTP request, read to its end. Header names are lower-case."""

    method: str
    path: str
    query: list[tuple[str, str]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    user: UserInfo | None = None  # None: find out from the Authorization header
    impersonator: UserInfo | None = None  # who acts as ``user``
    in_pieces: bool = False  # a long list may be answered as `Response.pieces`
    inside: bool = False  # it came over the cluster's own network: a replay meets it again
    record: Record | None = None  # where the API server notes what it met on its way


@dataclass(slots=True)
class Response:
    """An HTTP reply. `stream` is set for watches and followed logs; `pieces`, where they were asked for, are a body
    that is too long to be made in one step: each is made when it is asked for, once; `deleted` is what the body of a
    collection's deletion tells."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    stream: Stream | None = None
    warnings: tuple[str, ...] = ()
    pieces: Iterable[bytes] = ()
    deleted: Deleted | None = None


@dataclass(frozen=True, slots=True)
class Deleted:
    """What the deletion of a collection found: the objects as they were, the ListMeta, and warnings."""

    objects: list[JSON]
    meta: JSON
    warnings: tuple[str, ...] = ()


@dataclass(slots=True)
class RequestContext:
    """What the semantic layer needs to know about a write beside the object."""

    user: UserInfo
    manager: str = ""
    dry_run: bool = False
    field_validation: str = "Warn"
    warnings: list[str] = field(default_factory=list)
    subresource: str = ""
    api_version: str = ""  # of the request's path; "" is the version in which the kind is stored
    trusted: bool = False  # a component in this process: schema types are not checked again
    record: Record | None = None  # of a request from outside: what is noted of its way
