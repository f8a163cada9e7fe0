"""A container: one attempt to run one container of a Pod. All of it is JSON data."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from cluster_engine.container_runtime.logs import Log

CREATED, RUNNING, EXITED = "created", "running", "exited"


@dataclass(slots=True)
class Container:
    """What the runtime knows of a container. Times are virtual µs."""

    name: str
    id: str
    image: str
    """The full reference that its program comes from."""
    argv: list[str]
    env: dict[str, str] | None
    """What the Pod sets; the image's own variables are not stored."""
    attempt: int = 0
    state: str = CREATED
    created_at: int = 0
    started_at: int = 0
    finished_at: int = 0
    exit_code: int = 0
    reason: str = ""
    message: str = ""
    stopping: int = 0
    """When SIGTERM was sent; 0: not yet."""
    log: Log = field(default_factory=Log)
    memory: int | None = None
    """Its limit, bytes."""
    mounts: list[list[Any]] = field(default_factory=list)
    """[volume, path, path in the volume, whether it is read-only], outer ones first."""
    workdir: str = "/"
    user: list[int] = field(default_factory=lambda: [0, 0])
    """Its uid, its gid, then all its groups."""
    read_only: bool = False
    """Whether its root file system is."""
    message_path: str = ""
    """Where it may leave its last words."""
    stdin: bool = False
    """Whether its standard input stays open for those who attach."""
    stdin_once: bool = False
    """Whether it ends with the first of them."""
    tty: bool = False
    pids: str = ""
    """Whose processes it shares: the id of another container, ``setup.POD`` for all of the Pod's; "" for its own."""
    millis: int = 0
    """Its limit, thousandths of a processor; 0 for none."""

    def as_list(self) -> list[Any]:
        return [self.log.state() if name == "log" else getattr(self, name) for name in _FIELDS]

    @classmethod
    def from_list(cls, data: list[Any]) -> Container:
        values = list(data)
        values[_LOG] = Log.load(values[_LOG])
        return cls(*values)


_FIELDS = tuple(f.name for f in fields(Container))
_LOG = _FIELDS.index("log")
