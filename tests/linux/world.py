"""A machine with a small image, and a host that writes down what comes out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from cluster_engine.linux.files import tree
from cluster_engine.linux.limits import Limits
from cluster_engine.linux.machine import Machine
from cluster_engine.linux.program import Event, Filter, Program, State, Sys
from cluster_engine.linux.programs import sleep
from cluster_engine.linux.sh import PROGRAMS

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
EPOCH = 1_700_000_000_000_000


def _cat() -> Program:
    def feed(sys: Sys, state: State, chunk: str) -> int | None:
        sys.write(1, chunk)
        return None

    return Program(
        "cat", filter=Filter(lambda sys, argv: ({}, argv[1:] or ["-"]), feed, lambda sys, state: 0)
    )


def _lines() -> Program:
    """`wc -l`."""

    def feed(sys: Sys, state: State, chunk: str) -> int | None:
        state["n"] += chunk.count("\n")
        return None

    def end(sys: Sys, state: State) -> int:
        sys.out(f"{state['n']}\n")
        return 0

    return Program("lines", filter=Filter(lambda sys, argv: ({"n": 0}, ["-"]), feed, end))


def _yes(sys: Sys, state: State, event: Event) -> State:
    while not state.get("done"):
        sys.write(1, "y\n" * 512)
        sys.more()
        return state
    return state


def _date(sys: Sys, argv: list[str]) -> int:
    sys.out(f"{sys.now}\n")
    return 0


def _echo_server(sys: Sys, state: State, event: Event) -> State:
    """Answers every chunk with itself; `quit` ends a connection."""
    match event:
        case ["start", argv]:
            sys.listen(int(argv[1]))
        case ["accepted", _, fd, _, _]:
            sys.read(fd)
        case ["data", fd, text]:
            sys.write(fd, text)
            sys.read(fd)
        case ["end", fd]:
            sys.close(fd)
    return state


def _talk(sys: Sys, state: State, event: Event) -> State:
    """Sends its second argument to a port and prints what comes back."""
    match event:
        case ["start", argv]:
            state["text"] = argv[3]
            sys.connect(argv[1], int(argv[2]))
        case ["connected", fd]:
            sys.write(fd, state["text"])
            sys.shutdown(fd)
            sys.read(fd)
        case ["failed", _, reason]:
            sys.error(reason)
            sys.exit(1)
        case ["data", fd, text]:
            sys.out(text)
            sys.read(fd)
        case ["end", _]:
            sys.exit(0)
    return state


SMALL = (
    _cat(), _lines(), sleep.PROGRAM, Program("yes", on=_yes), Program("date", run=_date),
    Program("echod", on=_echo_server), Program("talk", on=_talk),
)  # fmt: skip
TABLE = {program.name: program for program in (*SMALL, *PROGRAMS)}


def image(files: dict[str, Any] | None = None, names: Iterable[str] = ()) -> dict[str, Any]:
    contents: dict[str, Any] = {f"/bin/{name}": tree.program(name) for name in names or TABLE}
    for name in ("null", "zero", "full", "urandom", "tty", "stdin", "stdout", "stderr"):
        contents[f"/dev/{name}"] = tree.device(name)
    contents["/tmp/.keep"] = ""
    contents["/etc/passwd"] = "root:x:0:0:root:/root:/bin/sh\n"
    contents["/root/.keep"] = ""
    contents.update(files or {})
    return tree.build(contents)


class Host:
    """Notes everything."""

    def __init__(self) -> None:
        self.killed: list[str] = []
        self.due: int | None = None
        self.exits: dict[int, int] = {}
        self.logs: list[tuple[str, str, str]] = []
        self.outputs: list[tuple[str, int, str]] = []
        self.ends: dict[str, int] = {}
        self.calls: list[tuple[Any, ...]] = []
        self.faults: list[str] | None = None
        """Programs that had a bug; None lets the exceptions through."""

    def faulted(self, program: str, error: Exception) -> bool:
        if self.faults is not None:
            self.faults.append(f"{program}: {error}")
        return self.faults is not None

    def out_of_memory(self, root: str) -> None:
        self.killed.append(root)

    def others(self, namespace: str) -> list[dict[str, Any]]:
        return []

    def wake(self, due: int | None) -> None:
        self.due = due

    def exited(self, process: int, status: int) -> None:
        self.exits[process] = status

    def log(self, tag: str, stream: str, text: str) -> None:
        self.logs.append((tag, stream, text))

    def output(self, session: str, fd: int, text: str) -> None:
        self.outputs.append((session, fd, text))

    def ended(self, session: str, status: int) -> None:
        self.ends[session] = status

    def call(self, call: str, name: str, args: Any) -> None:
        self.calls.append(("call", call, name, args))

    def tell(self, call: str, data: Any) -> None:
        self.calls.append(("tell", call, data))

    def drop(self, call: str) -> None:
        self.calls.append(("drop", call))

    def resolve(self, call: str, root: str, name: str) -> None:
        self.calls.append(("resolve", call, root, name))

    def connect(self, sock: str, ip: str, port: int) -> None:
        self.calls.append(("connect", sock, ip, port))

    def send(self, sock: str, text: str) -> None:
        self.calls.append(("send", sock, text))

    def shutdown(self, sock: str) -> None:
        self.calls.append(("shutdown", sock))

    def close(self, sock: str) -> None:
        self.calls.append(("close", sock))

    def took(self, sock: str, count: int) -> None:
        self.calls.append(("took", sock, count))

    def datagram(self, port: int, ip: str, to_port: int, data: str) -> None:
        self.calls.append(("datagram", port, ip, to_port, data))

    def out(self, fd: int = 0) -> str:
        return "".join(text for _, number, text in self.outputs if fd in (0, number))


class World:
    """A machine with one root, and its clock."""

    def __init__(
        self,
        files: dict[str, Any] | None = None,
        limits: Limits | None = None,
        flavour: str = "busybox",
        table: Callable[[str], Program | None] = TABLE.get,
        names: Iterable[str] = (),
    ) -> None:
        self.host = Host()
        self.machine = Machine("box", self.host, table, limits)
        self.machine.add_root("c", image(files, names), flavour=flavour)
        self.now = EPOCH

    def start(self, *argv: str, session: str = "s", env: dict[str, str] | None = None, **options: Any) -> int:
        streams = {
            "stdin": ["session", session],
            "stdout": ["session", session],
            "stderr": ["session", session],
            **options,
        }
        environment = {"PATH": PATH, "HOME": "/root", **(env or {})}
        return self.machine.spawn(list(argv), root="c", env=environment, **streams)

    def settle(self, budget: int = 100_000) -> int | None:
        """Run what is ready now."""
        due = self.machine.run(self.now, budget)
        rounds = 0
        while due is not None and due <= self.now:
            due = self.machine.run(self.now, budget)
            rounds += 1
            assert rounds < 10_000, "the machine does not come to rest"
        return due

    def advance(self, microseconds: int, budget: int = 100_000) -> None:
        """Let time pass."""
        end = self.now + microseconds
        while True:
            due = self.settle(budget)
            if due is None or due > end:
                break
            self.now = max(self.now, due)
        self.now = end
        self.settle(budget)

    def sh(
        self,
        line: str,
        *more: str,
        cwd: str = "/",
        seconds: int = 3600,
        stdin: str = "",
        shell: str = "sh",
        **options: Any,
    ) -> Result:
        """Run ``sh -c line`` to its end, or another shell."""
        session = f"s{len(self.host.ends)}"
        process = self.start(shell, "-c", line, *more, session=session, cwd=cwd, **options)
        if stdin:
            self.machine.input(session, stdin)
        self.machine.end_input(session)
        end = self.now + seconds * 1_000_000
        while process not in self.host.exits:
            due = self.settle()
            if due is None or due > end:
                break
            self.now = max(self.now, due)
        mine = [(fd, text) for name, fd, text in self.host.outputs if name == session]
        return Result(
            self.host.exits.get(process, -1),
            "".join(text for fd, text in mine if fd == 1),
            "".join(text for fd, text in mine if fd == 2),
        )


class Result:
    def __init__(self, status: int, out: str, err: str) -> None:
        self.status = status
        self.out = out
        self.err = err

    def __repr__(self) -> str:
        return f"Result({self.status}, {self.out!r}, {self.err!r})"
