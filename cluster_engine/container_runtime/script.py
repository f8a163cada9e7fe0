"""A container process that is a shell command, run on the virtual clock.

The coroutine of a running shell is no data, so a snapshot does not hold it. What it holds is the launch and
the answers that came from outside; running those again to the present time gives the same process, the same
files and the same log. ``Sandbox`` does that for all processes of a Pod together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cluster_engine.container_runtime.commands import TOOLS
from cluster_engine.container_runtime.container import LOG_BYTES, LOG_LINES
from cluster_engine.container_runtime.network import ConnectionFailed, HttpRequest, Network
from cluster_engine.shell.context import Host
from cluster_engine.shell.kernel import Blocked, Done, HostCall
from cluster_engine.shell.limits import DEFAULT
from cluster_engine.shell.shell import Shell
from cluster_engine.shell.streams import Null, Sink
from cluster_engine.shell.vfs import Vfs
from cluster_engine.sim import SECOND

BURST = 20_000
"""Steps without sleeping after which a process counts as spinning: it stays alive and does nothing more."""
ANSWERS = 500
"""Answers from outside that are remembered of one process."""
_LIMITS = replace(DEFAULT, steps=BURST * 2, processes=32)


class World:
    """What surrounds a process: names, the network and where it stands in time."""

    __slots__ = ("gid", "hostname", "ip", "namespace", "network", "now", "uid")

    def __init__(self, hostname: str, ip: str, namespace: str, network: Network | None) -> None:
        self.hostname = hostname
        self.ip = ip
        self.namespace = namespace
        self.network = network
        self.now = 0
        self.uid = 0
        self.gid = 0

    def answer(self, name: str, args: tuple[Any, ...]) -> Any:
        """Serves a host call other than ``sleep``; the answer is JSON data."""
        if name == "lookup":
            return self.network.lookup(str(args[0]), self.namespace) if self.network else []
        if name == "connect":
            return self._connect(str(args[0]), int(args[1]))
        if name == "http":
            return self._http(args[0])
        raise LookupError(f"no answer for the host call {name!r}")

    def _connect(self, host: str, port: int) -> dict[str, Any]:
        if self.network is None:
            return {"error": "network is unreachable"}
        try:
            self.network.connect(host, port, self.namespace)
        except LookupError:
            return {"error": "resolve"}
        except ConnectionFailed as failed:
            return {"error": failed.reason, "address": host}
        return {"address": host}

    def _http(self, wanted: dict[str, Any]) -> dict[str, Any]:
        if self.network is None:
            return {"error": "network is unreachable"}
        host = wanted["host"]
        if host in ("localhost", "127.0.0.1"):
            host = self.ip
        headers = {**wanted["headers"], "x-virtual-time": str(self.now)}
        request = HttpRequest(
            wanted["method"],
            wanted["path"],
            headers,
            wanted["body"].encode("latin-1"),
            self.ip,
            wanted["host"],
        )
        found = self.network.lookup(host, self.namespace) if not host[:1].isdigit() else [host]
        if not found:
            return {"error": "resolve"}
        if wanted["scheme"] == "https":
            return {"error": "tls", "address": found[0]}
        try:
            reply = self.network.http(host, wanted["port"], request, self.namespace)
        except ConnectionFailed as failed:
            reason = "timeout" if "timeout" in failed.reason else failed.reason
            return {"error": reason, "address": found[0]}
        return {
            "address": found[0],
            "status": reply.status,
            "headers": dict(reply.headers),
            "body": reply.body.decode("latin-1"),
        }


class _Lines:
    """Bytes of one stream, cut into log lines."""

    def __init__(self, script: Script, stream: str) -> None:
        self.script = script
        self.stream = stream
        self.rest = b""

    def write(self, data: bytes) -> None:
        *whole, self.rest = (self.rest + data).split(b"\n")
        for line in whole:
            self.script.note(self.stream, line)
        if len(self.rest) > 16 * 1024:
            self.flush()

    def flush(self) -> None:
        if self.rest:
            self.script.note(self.stream, self.rest)
            self.rest = b""


class Script:
    """One running shell command."""

    def __init__(
        self,
        argv: list[str],
        env: Mapping[str, str],
        vfs: Vfs,
        world: World,
        started_at: int,
        *,
        tools: str,
        workdir: str,
        answers: list[Any],
    ) -> None:
        """``answers`` is shared: what was answered before is used again, what is new is added."""
        self.lines: list[list[Any]] = []
        self.exit: tuple[int, int] | None = None
        self.spinning = False
        self.traps: dict[str, str] = {}
        self.pending: list[str] = []
        self.now = started_at
        self._world = world
        self._answers = answers
        self._answered = 0
        self._bytes = 0
        self._sleeps: list[tuple[int, int, HostCall]] = []
        self._order = 0
        extra = {
            "traps": self.traps,
            "pending": self.pending,
            "hostname": world.hostname,
            "ip": world.ip,
            "uid": world.uid,
            "gid": world.gid,
            "command": " ".join(argv),
        }
        host = Host(now=lambda: self.now, extra=extra)
        self._shell = Shell(vfs, env, host=host, commands=TOOLS[tools], cwd=workdir, limits=_LIMITS)
        out, err = _Lines(self, "stdout"), _Lines(self, "stderr")
        self._outs = (out, err)
        kernel = self._shell.kernel
        name = argv[0].rpartition("/")[2]
        words = [name if name in TOOLS[tools] else argv[0], *argv[1:]]
        self._shell.start_argv(words, {0: Null(), 1: Sink(kernel, out.write), 2: Sink(kernel, err.write)})
        self._run()

    def note(self, stream: str, line: bytes) -> None:
        """Adds a log line; the oldest go when there are too many."""
        text = line.decode("utf-8", "replace")
        self.lines.append([self.now, stream, text])
        self._bytes += len(text) + 1
        if len(self.lines) > LOG_LINES or self._bytes > LOG_BYTES:
            half = max(len(self.lines) // 4, 1)
            self._bytes -= sum(len(entry[2]) + 1 for entry in self.lines[:half])
            del self.lines[:half]

    def unfinished(self) -> list[list[Any]]:
        """Output after the last line's end, as a line of its own."""
        return [[self.now, out.stream, out.rest.decode("utf-8", "replace")] for out in self._outs if out.rest]

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        return self.exit is None

    def next_due(self) -> int | None:
        """When it wakes next; None: never."""
        return self._sleeps[0][0] if self._sleeps and self.exit is None else None

    def wake(self) -> None:
        """Ends its earliest sleep and runs on to the next."""
        due, _, call = self._sleeps.pop(0)
        self.now = due
        usage = self._shell.kernel.usage
        usage.steps = usage.output = usage.externals = 0
        call.resolve()
        self._run()

    def signal(self, name: str, at: int) -> bool:
        """Notes a signal; whether the process has a handler for it. The first process ignores all others."""
        if name not in self.traps:
            return False
        self.now = max(self.now, at)
        self.pending.append(name)
        return True

    def kill(self) -> None:
        """Stops it now."""
        if self._shell.kernel.busy:
            self._shell.kernel.interrupt()
        self._sleeps.clear()
        for out in self._outs:
            out.flush()

    def _run(self) -> None:
        kernel = self._shell.kernel
        while True:
            if kernel.usage.steps > BURST:
                self._spin()
                return
            try:
                state = kernel.run(1_000)
            except RuntimeError:
                # Every process of the line waits for another one: it hangs, as it would.
                self._spin()
                return
            if isinstance(state, Done):
                if kernel.message:
                    self._spin()
                else:
                    self._end(state.status)
                return
            if isinstance(state, Blocked) and not self._serve(state):
                return

    def _serve(self, state: Blocked) -> bool:
        """Answers what can be answered at once; False when all that is left is sleep."""
        served = False
        for call in state.calls:
            if call.taken:
                continue
            call.taken = True
            if call.name == "sleep":
                self._order += 1
                due = self.now + max(round(call.args[0] * SECOND), 1)
                self._sleeps.append((due, self._order, call))
                self._sleeps.sort(key=lambda sleep: sleep[:2])
            elif call.name == "signal":
                if self.signal(str(call.args[0]), self.now) is False and call.args[0] == "KILL":
                    pass  # the first process of a container cannot be killed from inside
                call.resolve()
                served = True
            else:
                call.resolve(self._answer(call.name, call.args))
                served = True
        return served

    def _answer(self, name: str, args: tuple[Any, ...]) -> Any:
        if self._answered < len(self._answers):
            answer = self._answers[self._answered]
        else:
            self._world.now = self.now
            answer = self._world.answer(name, args)
            if len(self._answers) < ANSWERS:
                self._answers.append(answer)
        self._answered += 1
        return answer

    def _spin(self) -> None:
        self.spinning = True
        self._sleeps.clear()

    def _end(self, status: int) -> None:
        for out in self._outs:
            out.flush()
        self.exit = (self.now, status & 0xFF)
