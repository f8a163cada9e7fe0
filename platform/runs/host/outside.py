"""From outside into a run's cluster: the terminal's own connections, and the pages of Pods and Services."""

from __future__ import annotations

from contextlib import suppress
from typing import Protocol

from cluster_engine.cluster import Cluster
from cluster_engine.network import WORKSTATION
from cluster_engine.serving import ClusterApp, Link, LinkError
from cluster_engine.terminal.outward import LineError
from runs.host.writer import JournalUnavailableError
from runs.journal import FencedError, JournalFullError


class Run(Protocol):
    """What is needed of the run."""

    cluster: Cluster
    app: ClusterApp

    def abandon(self) -> None:
        """Its journal cannot be written: let go."""


class Line:
    """A link as the terminal sees it."""

    def __init__(self, run: Run, link: Link) -> None:
        self._run = run
        self._link = link

    async def send(self, data: bytes, *, end: bool) -> None:
        try:
            await self._link.send(data, end=end)
        except (FencedError, JournalUnavailableError) as error:
            self._run.abandon()
            raise LineError("reset") from error
        except JournalFullError as error:
            raise LineError("reset") from error

    async def read(self) -> bytes:
        try:
            return await self._link.read()
        except LinkError as error:
            raise LineError("reset") from error

    async def close(self) -> None:
        # What is still open when a run comes up elsewhere is hung up then.
        with suppress(FencedError, JournalUnavailableError, JournalFullError):
            await self._link.close()


class Dialer:
    """The learner's own computer, beside the nodes of the cluster."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def addresses(self, name: str) -> list[str]:
        """Those of a node; nothing else has a name out here."""
        node = self._run.cluster.get("nodes", name)
        found = ((node or {}).get("status") or {}).get("addresses") or []
        return [entry["address"] for entry in found if entry["type"] == "InternalIP"]

    async def dial(self, ip: str, port: int) -> Line:
        """Raises LineError. What has no way is not asked for at all, so that nobody waits."""
        if not self._run.cluster.outside.reaches(ip):
            raise LineError("unreachable")
        link = Link(self._run.app, WORKSTATION)
        try:
            await link.connect(ip, port)
        except LinkError as error:
            raise LineError("refused" if str(error) == "full" else str(error)) from error
        except (FencedError, JournalUnavailableError) as error:
            self._run.abandon()
            raise LineError("unreachable") from error
        except JournalFullError as error:
            raise LineError("unreachable") from error
        return Line(self._run, link)
