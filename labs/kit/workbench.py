"""A lab as a learner has it, for scripts: the cluster behind its real HTTP edge, the terminal, the real kubectl.

Used by the sweep that proves every lab. The virtual clock runs as fast as it can, so ``sleep 60`` in a script
takes no time.
"""

from __future__ import annotations

import asyncio
import re
import socket
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import uvicorn

from cluster_engine.cluster import Cluster
from cluster_engine.serving import ClusterApp, Driver
from cluster_engine.terminal.confine import ConfinedProgram, Run
from cluster_engine.terminal.console import Options
from cluster_engine.terminal.disk import Disk
from cluster_engine.terminal.kubectl import kubectl_path
from cluster_engine.terminal.session import TerminalSession
from cluster_engine.terminal.session_hooks import SessionHooks

SCRIPT_SECONDS = 120.0
LONGEST_SLEEP = 3_600_000_000
"""µs that one sleep moves the clock at most."""
HOME = "/home/learner"

KUBECONFIG = """apiVersion: v1
kind: Config
current-context: lab
clusters: [{name: lab, cluster: {server: "http://127.0.0.1:0"}}]
contexts: [{name: lab, context: {cluster: lab, user: learner}}]
users: [{name: learner, user: {}}]
"""
_SERVER = re.compile(r"(http://127\.0\.0\.1:)\d+")


@dataclass(frozen=True)
class Left:
    """What a terminal leaves: its files by path, and kubectl's configuration."""

    files: dict[str, bytes]
    kubeconfig: str = KUBECONFIG

    @classmethod
    def at_home(cls, files: dict[str, str]) -> Left:
        """Nothing but these files, in the home folder."""
        return cls({f"{HOME}/{path}": text.encode() for path, text in files.items()})


@dataclass(frozen=True)
class ScriptResult:
    """How a script ended and all that the terminal showed."""

    status: int
    output: str


class _Paced(ConfinedProgram):
    """kubectl, whose ``rollout restart`` writes the second of the real clock and refuses the same one twice."""

    def __init__(self, binary: Path, **more: Any) -> None:
        super().__init__(binary, **more)
        self._restarts: set[tuple[str, ...]] = set()

    def start(self, argv: Sequence[str], files: Disk, **more: Any) -> Run:
        """Begins a run; the same restart again waits for the next second."""
        if list(argv[1:3]) == ["rollout", "restart"]:
            asked = int(time.time())
            while tuple(argv) in self._restarts and int(time.time()) == asked:
                time.sleep(0.02)
            self._restarts.add(tuple(argv))
        return super().start(argv, files, **more)


class Workbench:
    """A cluster with a terminal."""

    def __init__(self, files: dict[str, bytes], cluster: Cluster, program: ConfinedProgram) -> None:
        self.cluster = cluster
        self._files = files
        self._program = program

    @property
    def left(self) -> Left:
        """What the terminal would leave now."""
        return Left(self._files, self._program.kubeconfig)

    def write(self, path: str, text: str) -> None:
        """Puts a file into the home folder."""
        self._files[f"{HOME}/{path}"] = text.encode()

    def _leap(self, due: int) -> bool:
        """A terminal that sleeps moves the virtual clock instead of waiting."""
        if due > self.cluster.clock.now:
            self.cluster.advance_to(min(due, self.cluster.clock.now + LONGEST_SLEEP))
        return True

    async def _fault(self, what: dict[str, Any]) -> None:
        self.cluster.fault(**what)

    async def run(self, script: str) -> ScriptResult:
        """Runs a script as if its lines were typed; stops after SCRIPT_SECONDS of wall time."""
        shown, ended = bytearray(), asyncio.get_running_loop().create_future()

        def exited(terminal: str, status: int) -> None:
            if not ended.done():
                ended.set_result(status)

        hooks = SessionHooks(
            on_output=lambda terminal, data: shown.extend(data),
            on_exit=exited,
            now=lambda: self.cluster.clock.now,
            leap=self._leap,
            on_fault=self._fault,
        )
        files = {**self._files, "/tmp/script.sh": script.encode()}
        session = TerminalSession(files, self._program, hooks, Options(home=HOME))
        session.open("1", 200, 50)
        try:
            session.feed("1", ". /tmp/script.sh\rexit $?\r")
            status = await asyncio.wait_for(ended, SCRIPT_SECONDS)
        except TimeoutError:
            status = 124
        finally:
            await session.close()
        self._files = session.console.disk.files()
        return ScriptResult(status, shown.decode("utf-8", "replace"))


@asynccontextmanager
async def open_cluster(
    cluster: Cluster, files: dict[str, str] | Left, speed: float | Literal["max"] = "max"
) -> AsyncIterator[Workbench]:
    """A workbench for the cluster, with these files in the home folder, or with what a terminal before it left."""
    left = files if isinstance(files, Left) else Left.at_home(files)
    app = ClusterApp(cluster, driver=Driver(cluster, speed), admin=True)
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    serving = asyncio.ensure_future(server.serve(sockets=[listener]))
    program = _Paced(
        kubectl_path(),
        api_port=port,
        kubeconfig=_SERVER.sub(rf"\g<1>{port}", left.kubeconfig),
        home=HOME,
        allow_unconfined=True,
    )
    try:
        while not server.started:
            await asyncio.sleep(0.01)
        yield Workbench(dict(left.files), cluster, program)
    finally:
        program.close()
        server.should_exit = True
        await serving
