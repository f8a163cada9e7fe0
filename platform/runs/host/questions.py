"""What is asked of a run: by the page of its workspace, by the API, and by the words of its terminal."""

from __future__ import annotations

import asyncio
import shlex
import uuid
from typing import Any, Protocol

from django.utils import translation
from django.utils.translation import gettext as _
from grading import hints

from cluster_engine.cluster import Cluster
from cluster_engine.serving import Driver
from runs import journal, stations
from runs.host import past, trail
from runs.host.checker import Checker
from runs.host.errors import HostError
from runs.host.graders import GradingError
from runs.host.linting import Finding, findings
from runs.host.pasts import Pasts
from runs.host.terminal import Terminal
from runs.host.timeline import Timeline, timeline
from runs.host.whatif import Forecast, forecast
from runs.host.why import Why, explain
from runs.journal import Moment, Record
from runs.reasons import typed

#: Seconds that a comparison of a file with the cluster may take.
DIFF_SECONDS = 30.0


def _kept_before(run_id: uuid.UUID, at_us: int) -> tuple[int | None, list[Record]]:
    """Where the run begins, and what was done to it until that time."""
    return journal.begin(run_id), journal.marks(run_id, at_us, past.MARKS_TOLD)


class Host(Protocol):
    """What an answer takes of the host."""

    pasts: Pasts

    async def in_thread(self, fn: Any, *args: Any) -> Any:
        """What ``fn(*args)`` returns, off the event loop."""

    async def grade(self, lab: Any, fork: Cluster) -> dict[str, Any]:
        """The report of the lab's checks. Raises GradingError."""

    async def written(self, lab: Any, fork: Cluster) -> str:
        """What people wrote since the lab began, as YAML. Raises GradingError."""


class Questions:
    """The part of a run (`hosted.HostedRun`) that answers; it changes nothing but files."""

    host: Host
    run_id: uuid.UUID
    epoch: int
    lab: Any
    language: str
    """Its owner's."""
    cluster: Cluster
    driver: Driver
    terminal: Terminal
    checker: Checker
    forecasts: asyncio.Semaphore
    lookbacks: asyncio.Semaphore
    """The turns of what-ifs, and of looks back beyond what the cluster remembers."""

    async def typed_why(self, what: dict[str, Any]) -> str:
        """What `why` of the terminal says, in the owner's language. Raises ValueError."""
        with translation.override(self.language):
            try:
                if "request" in what:
                    ident = what["request"] or trail.last(self.cluster)
                    return stations.typed(trail.follow(self.cluster, ident))
                return typed(await self.why(what))
            except HostError as error:
                raise ValueError(str(error)) from error

    async def typed_hint(self, what: dict[str, Any]) -> str:
        """What `hint` of the terminal says, in the owner's language. Raises ValueError."""
        with translation.override(self.language):
            told: hints.Told = await self.host.in_thread(
                hints.give, self.run_id, what["check"], self.language
            )
            return f"{told['title']}: {told['hint']}"

    async def grade(self) -> dict[str, Any]:
        """The report of all checks on the cluster as it is now, with its hash. Raises GradingError."""
        await self.driver.roused()
        self.driver.catch_up()
        return await self.host.grade(self.lab, self.cluster.fork())

    async def written(self) -> dict[str, str]:
        """What the learner wrote of the cluster's objects, as manifests. Raises HostError."""
        await self.driver.roused()
        self.driver.catch_up()
        try:
            return {"manifests": await self.host.written(self.lab, self.cluster.fork())}
        except GradingError as error:
            raise HostError(
                504, _("What you wrote could not be gathered: %(why)s.") % {"why": error}
            ) from error

    def files(self) -> list[dict[str, str]]:
        """The text files of the terminal's home."""
        return self.terminal.files()

    async def save(self, path: str, content: str) -> None:
        """Save one file from the editor."""
        await self.terminal.save(path, content)

    async def apply(self, path: str, content: str) -> dict[str, Any]:
        """Save a file and run `kubectl apply -f` on it, as the learner would."""
        waited = self.terminal.waits_for(path)
        await self.terminal.save(path, content)
        if waited:
            return {
                "exit_code": 0,
                "stdout": "Saved: kubectl edit, in the terminal, applies it.\n",
                "stderr": "",
            }
        return await self.terminal.run(["kubectl", "apply", "-f", path])

    async def diff(self, path: str, content: str) -> dict[str, Any]:
        """Save a file and run `kubectl diff -f` on it: status 1 is that there are differences."""
        await self.terminal.save(path, content)
        # With a shell of its own: kubectl leaves it to the machine's `diff` to compare.
        told = await self.terminal.run_script(f"kubectl diff -f {shlex.quote(path)}", DIFF_SECONDS)
        text = told.output.decode("utf-8", "replace").replace("\r\n", "\n")
        good = told.status in (0, 1) and not told.late
        return {"exit_code": told.status, "stdout": text if good else "", "stderr": "" if good else text}

    async def lint(self, content: str) -> list[Finding]:
        """What the API server would say to the manifests of a text (`host/linting.py`)."""
        await self.driver.roused()
        self.driver.catch_up()
        return findings(self.cluster, content, self.terminal.namespace)

    async def why(self, data: dict[str, Any]) -> Why:
        """Why an object is as it is (`host/why.py`). Raises HostError."""
        await self.driver.roused()
        self.driver.catch_up()
        return explain(self.cluster, data)

    async def trail(self, data: dict[str, Any]) -> trail.Trail | dict[str, list[trail.Asked]]:
        """The latest requests to the cluster, or one by its `id`, with its way (`host/trail.py`). Raises HostError."""
        await self.driver.roused()
        self.driver.catch_up()
        if data.get("id"):
            return trail.follow(self.cluster, str(data["id"]))
        return {"requests": trail.latest(self.cluster, data)}

    async def compared(self, data: dict[str, Any]) -> past.Compared:
        """What changed between two moments of it, or from one until now."""
        await self.driver.roused()
        self.driver.catch_up()
        async with past.views(self.cluster, data, self.cluster_at) as (at, against):
            return await past.compared(at, against)

    async def past(self, data: dict[str, Any]) -> past.Span | past.Then:
        """How far one can look back, or the cluster as it was `at` a time or after a `revision` (`host/past.py`)."""
        await self.driver.roused()
        self.driver.catch_up()
        if not data.get("at") and not data.get("revision"):
            before = past.remembered_since(self.cluster)
            kept = await self.host.in_thread(_kept_before, self.run_id, before)
            return past.span(self.cluster, *kept)
        async with past.views(self.cluster, data, self.cluster_at) as (at, against):
            return await past.seen(at, against)

    async def cluster_at(self, moment: Moment) -> Cluster:
        """The cluster as it was (`host/pasts.py`). Raises HostError 410 for what cannot be had again."""
        async with self.lookbacks:  # one that looks at many moments takes turns with others
            return await self.host.pasts.of(self.run_id, self.epoch, moment)

    async def timeline(self) -> Timeline:
        """The lives of its Pods, its Events and its checks (`host/timeline.py`)."""
        await self.driver.roused()
        self.driver.catch_up()
        return timeline(self.cluster, self.checker.results.verdicts)

    async def what_if(self, data: dict[str, Any]) -> Forecast:
        """What would happen if (`host/whatif.py`), one question at a time."""
        async with self.forecasts:
            await self.driver.roused()
            self.driver.catch_up()
            return await forecast(self.cluster, data)
