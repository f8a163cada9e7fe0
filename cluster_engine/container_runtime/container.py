"""A container: one attempt to run one container of a Pod. All of it is JSON data."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

CREATED, RUNNING, EXITED = "created", "running", "exited"

LOG_LINES = 2_000
LOG_BYTES = 256 * 1024


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
    log: list[list[Any]] = field(default_factory=list)
    """Lines beside the plan's own, [µs, stream, text]: requests served, a script's output once it ended."""
    memory: int | None = None
    """Its limit, bytes."""
    mounts: list[list[Any]] = field(default_factory=list)
    """[volume, path, path in the volume, whether it is read-only], outer ones first."""
    workdir: str = "/"
    user: list[int] = field(default_factory=lambda: [0, 0])
    """Its uid, then its groups; the first one is its own."""
    read_only: bool = False
    """Whether its root file system is."""
    message_path: str = ""
    """Where it may leave its last words."""

    def note(self, at: int, stream: str, text: str) -> None:
        """Adds a line; the oldest go when there are too many."""
        self.log.append([at, stream, text])
        if len(self.log) > LOG_LINES:
            del self.log[: LOG_LINES // 4]

    def as_list(self) -> list[Any]:
        return [getattr(self, name) for name in _FIELDS]

    @classmethod
    def from_list(cls, data: list[Any]) -> Container:
        return cls(*data)


_FIELDS = tuple(f.name for f in fields(Container))
