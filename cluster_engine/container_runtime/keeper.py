"""What a sandbox needs of the world around it, and whom it tells."""

from __future__ import annotations

from typing import Any, Protocol

from cluster_engine.container_runtime.registry import Registry
from cluster_engine.network import Network


class Told(Protocol):
    """Whoever looks after the sandboxes: the kubelets."""

    def exited(self, key: str, container: str, status: int) -> None:
        """A container's main process has ended."""
        ...

    def out_of_memory(self, key: str, container: str) -> None:
        """A container's processes had more memory than they may, and are being killed."""
        ...

    def log(self, key: str, container: str, at: int, stream: str, text: str) -> None:
        """Byte text that a container's main process wrote."""
        ...

    def awaits(self, key: str, due: int) -> bool:
        """Whether ``settle`` waits for what this Pod does then."""
        ...

    def output(self, session: str, fd: int, text: str) -> None:
        """Byte text that a session's process wrote to descriptor 1 or 2."""
        ...

    def connection_ended(self, session: str, stream: int) -> None:
        """A connection that a session had into the Pod is over."""
        ...

    def session_ended(self, session: str, status: int) -> None:
        """The process of a session has ended."""
        ...


class Keeper(Protocol):
    """What a sandbox needs of the world around."""

    @property
    def now(self) -> int: ...

    @property
    def told(self) -> Told: ...

    @property
    def network(self) -> Network: ...

    @property
    def registry(self) -> Registry: ...

    def ready(self, key: str) -> None: ...

    def wake_at(self, key: str, due: int, *, background: bool) -> int: ...

    def unanswered_at(self, key: str, call: str, due: int, *, background: bool) -> int: ...

    def time_out_at(self, key: str, name: str, due: int, *, background: bool) -> int: ...

    def cancel(self, timer: int | None) -> None: ...

    def faulted(self, component: str, key: str, error: Exception) -> bool: ...

    def answer(self, then: list[Any], answer: list[Any], *, background: bool) -> None: ...

    def call(self, name: str, args: Any) -> Any: ...

    def waits_until(self, key: str, call: str, topic: str, due: int) -> int: ...

    def seed(self, key: str) -> str: ...

    def first_pid(self, key: str) -> int: ...
