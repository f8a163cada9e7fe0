"""A machine: the processes of one Pod (or of one learner's terminal) as data, run on the virtual clock.

The host tells it what happens (keys, packets, signals) and calls ``run`` when it asked to be woken; the machine tells
the host what comes out (``MachineHost``). Neither calls back inside a call. ``state`` is JSON, given out by reference:
a machine that has not run since gives the same object again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from cluster_engine.linux import bandwidth, budgets, processes, signals, sockets, terminals, turns
from cluster_engine.linux.errors import FileError
from cluster_engine.linux.files import Storage
from cluster_engine.linux.files.tree import Node
from cluster_engine.linux.kernel import Kernel, MachineHost, Record
from cluster_engine.linux.limits import Limits
from cluster_engine.linux.program import Program

Spec = Sequence[Any]
"""What a spawned process's descriptor is: ``["null"]``, ``["log", "stdout" | "stderr"]``, ``["session", id]``,
``["tty", id]``."""

HOST_BUDGET = 400
"""Steps that one ``run`` does unless told otherwise; where it cuts has no effect on what happens."""


class Machine:
    """One machine."""

    def __init__(
        self,
        hostname: str,
        host: MachineHost,
        programs: Callable[[str], Program | None],
        limits: Limits | None = None,
        storage: Storage | None = None,
    ) -> None:
        self._kernel = Kernel(hostname, host, programs, limits or Limits(), storage or Storage())
        self._given: Record | None = None

    # --- what it is made of ---------------------------------------------------------------------

    @property
    def storage(self) -> Storage:
        """Volumes, roots and open files."""
        return self._kernel.storage

    def add_root(
        self,
        name: str,
        tree: Node,
        mounts: Sequence[dict[str, Any]] = (),
        *,
        read_only: bool = False,
        limit: int = 0,
        namespace: str = "",
        flavour: str = "busybox",
        memory: int = 0,
        millis: int = 0,
    ) -> None:
        """A container's file system. ``namespace``: its pid namespace (default: one of its own). ``memory``: bytes that
        its processes may use together, ``millis``: thousandths of a processor; 0 for no limit."""
        self._kernel.touch()
        self.storage.add_root(name, tree, mounts, read_only=read_only, limit=limit)
        row = {"namespace": namespace or name, "flavour": flavour, "memory": memory}
        self._kernel.top["roots"][name] = row
        if memory:
            self._kernel.confined[name] = memory
        if millis:
            self._kernel.bandwidth[name] = bandwidth.fresh(millis, self._kernel.now)

    def limit(self, name: str, memory: int, millis: int, now: int) -> None:
        """Other limits for a container from ``now`` on, as ``add_root`` takes them."""
        self.run(now, 0)
        kernel = self._kernel
        kernel.meter_held(name)
        kernel.entry("roots", name)["memory"] = memory
        kernel.confined.pop(name, None)
        if memory:
            kernel.confined[name] = memory
        if not millis:
            kernel.release(name)
        elif name in kernel.bandwidth:
            kernel.entry("bandwidth", name)["millis"] = millis
        else:
            kernel.bandwidth[name] = bandwidth.fresh(millis, kernel.now)

    def remove_root(self, name: str) -> None:
        """Forget a container's files; its processes must have ended."""
        self._kernel.touch()
        self.storage.remove_root(name)
        self._kernel.top["roots"].pop(name, None)
        self._kernel.confined.pop(name, None)
        self._kernel.bandwidth.pop(name, None)

    def set_volume(self, name: str, tree: Node, limit: int = 0) -> None:
        """A volume that roots mount."""
        self._kernel.touch()
        self.storage.set_volume(name, tree, limit)

    def set_addresses(self, addresses: Sequence[str]) -> None:
        """The machine's own IP addresses: what is sent there stays inside."""
        self._kernel.touch()
        self._kernel.top["addresses"] = list(addresses)

    def open_terminal(self, name: str, cols: int, rows: int, *, patient: bool = False) -> None:
        """A terminal that ``["tty", name]`` means. ``patient``: what is typed while nobody reads is shown later."""
        self._kernel.touch()
        terminals.open_terminal(self._kernel, name, cols, rows, patient=patient)

    # --- processes ------------------------------------------------------------------------------

    def spawn(
        self,
        argv: Sequence[str],
        *,
        root: str,
        env: Mapping[str, str] | None = None,
        cwd: str = "/",
        uid: int = 0,
        gid: int = 0,
        groups: Iterable[int] = (),
        stdin: Spec = ("null",),
        stdout: Spec = ("log", "stdout"),
        stderr: Spec = ("log", "stderr"),
        tag: str = "",
        session: str = "",
        now: int = 0,
    ) -> int:
        """Start a process from outside; its machine-wide id. Raises FileError as ``execve`` would.

        ``now`` (µs) is when: a machine that has nothing to do knows no later time than that of its last run.
        ``session``: whose ``ended`` tells its status (default: that of its session or terminal).
        """
        kernel = self._kernel
        kernel.touch()
        kernel.now = max(now, kernel.now)
        row = kernel.top["roots"][root]
        who = {
            "root": root, "ns": row["namespace"], "uid": uid, "gid": gid, "groups": list(groups), "tag": tag,
            "flavour": row["flavour"],
        }  # fmt: skip
        probe = {"who": who, "cwd": cwd, "umask": 0o022}
        environment = dict(env or {})
        if not kernel.files(probe).is_dir(cwd):
            raise FileError("No such file or directory", cwd)
        full = processes.find(kernel, probe, argv[0] if argv else "", environment.get("PATH"))
        program, words = processes.load(kernel, probe, full, list(argv))
        record = processes.blank(kernel, who, None)
        record["cwd"], record["host"] = cwd, True
        for number, spec in enumerate((stdin, stdout, stderr)):
            record["fds"][str(number)] = self._attach(record, number, spec)
        record["session"] = session or record["session"]
        processes.become(kernel, record, program, words, environment)
        kernel.ready.append(record["id"])
        kernel.host.wake(kernel.now)
        return int(record["id"])

    def _attach(self, record: Record, number: int, spec: Spec) -> str:
        match list(spec):
            case ["null"]:
                return "n"
            case ["log", stream]:
                return "le" if stream == "stderr" else "lo"
            case ["session", name]:
                self._kernel.top["sessions"].setdefault(name, {"in": [], "eof": False, "waiting": []})
                record["session"] = name
                return f"s{number}{name}"
            case ["tty", name]:
                tty = self._kernel.entry("ttys", name)
                tty["leader"], tty["fg"] = record["id"], record["group"]
                record["session"], record["tty"] = name, name
                return f"t{name}"
        raise ValueError(f"unknown stream {spec!r}")

    def alive(self, process: int) -> bool:
        """Is the process there (a zombie is not)?"""
        record = self._kernel.procs.get(str(process))
        return record is not None and record["state"] != "Z"

    def pid(self, process: int) -> int:
        """The number that a process has in its own pid namespace, 0 when it is gone."""
        record = self._kernel.procs.get(str(process))
        return record["pid"] if record is not None else 0

    def signal(self, process: int, name: str) -> bool:
        """Signal a process from outside its pid namespace; whether it was there."""
        if not self.alive(process):
            return False
        self._kernel.touch()
        signals.send(self._kernel, str(process), name, outside=True)
        self._kernel.host.wake(self._kernel.now)
        return True

    def number_from(self, namespace: str, first: int) -> None:
        """Processes of a pid namespace that nobody is in yet have numbers from there on; none of them is its init."""
        self._kernel.touch()
        spaces = self._kernel.top["namespaces"]
        spaces.setdefault(namespace, {"next": first, "init": "", "first": first})

    def listed(self, first: int, most: int, plain: tuple[str, ...]) -> list[dict[str, Any]]:
        """All processes as ``Sys.processes`` has them, numbered from ``first`` on; those of ``plain`` namespaces keep
        their numbers.
        """
        return [
            {
                "pid": each["pid"] if each["who"]["ns"] in plain else first + int(key) % most,
                "ppid": 1,
                "uid": each["who"]["uid"],
                "argv": list(each["argv"]),
                "state": each["state"],
                "container": each["who"]["root"],
                "started": each["started"],
                "cpu": each["cpu"],
            }
            for key, each in self._kernel.procs.items()
        ]

    def listening(self) -> list[tuple[str, str, int, str]]:
        """(protocol, address, port, program) of every port that somebody listens on; "": at any address."""
        owners = {
            desc[1:]: each["argv"][0].rpartition("/")[2]
            for each in self._kernel.procs.values()
            for desc in each["fds"].values()
        }
        rows = []
        for name, by_ip in self._kernel.top["ports"].items():
            protocol, _, port = name.partition("/")
            rows += [(protocol, ip, int(port), owners.get(key, "")) for ip, key in by_ip.items()]
        return rows

    def kill_all(self, root: str) -> None:
        """KILL every process of a container."""
        kernel = self._kernel
        kernel.touch()
        for key, record in list(kernel.procs.items()):
            if record["who"]["root"] == root:
                signals.send(kernel, key, "KILL", outside=True)
        kernel.host.wake(kernel.now)

    def processes(self, root: str = "") -> list[dict[str, Any]]:
        """Id, argv, state, cpu (µs) of the processes of a container (of all)."""
        return [
            {
                "id": int(key),
                "pid": each["pid"],
                "argv": list(each["argv"]),
                "state": each["state"],
                "cpu": each["cpu"],
            }
            for key, each in self._kernel.procs.items()
            if root in ("", each["who"]["root"])
        ]

    # --- sessions and terminals -----------------------------------------------------------------

    def input(self, session: str, text: str) -> None:
        """Bytes for a session's standard input or keys of a terminal. Ignored when it has ended."""
        kernel = self._kernel
        kernel.touch()
        if session in kernel.top["ttys"]:
            terminals.keys(kernel, session, text)
        elif session in kernel.top["sessions"]:
            record = kernel.entry("sessions", session)
            record["in"].append(text)
            waiting, record["waiting"] = record["waiting"], []
            kernel.wake_all(waiting, outside=True)
        kernel.host.wake(kernel.now)

    def end_input(self, session: str) -> None:
        """No more input comes. A terminal has no such end: it sees ^D."""
        kernel = self._kernel
        kernel.touch()
        if session in kernel.top["ttys"]:
            terminals.keys(kernel, session, "\x04")
        elif session in kernel.top["sessions"]:
            record = kernel.entry("sessions", session)
            record["eof"] = True
            waiting, record["waiting"] = record["waiting"], []
            kernel.wake_all(waiting)
        kernel.host.wake(kernel.now)

    def resize(self, session: str, cols: int, rows: int) -> None:
        """A terminal has a new size."""
        self._kernel.touch()
        if session in self._kernel.top["ttys"]:
            terminals.resize(self._kernel, session, cols, rows)
            self._kernel.host.wake(self._kernel.now)

    def hangup(self, session: str) -> None:
        """The user is gone: readers see the end, a terminal's session gets HUP."""
        self._kernel.touch()
        if session in self._kernel.top["ttys"]:
            terminals.hang_up(self._kernel, session)
            self._kernel.host.wake(self._kernel.now)
        else:
            self.end_input(session)

    def waits(self, terminal: str) -> str:
        """What the shell of a terminal waits for: a new ``line``, ``more`` of one, or nothing ("")."""
        leader = self._leader(terminal)
        if leader is None or leader.get("edit") is None:
            return ""
        return "more" if leader["input"] else "line"

    def foreground(self, terminal: str) -> str:
        """The command line of the process that has a terminal."""
        group = self._kernel.top["ttys"][terminal]["fg"] if terminal in self._kernel.top["ttys"] else ""
        for record in self._kernel.procs.values():
            if record["group"] == group and record["state"] != "Z":
                return " ".join(record["argv"])
        return ""

    def _leader(self, terminal: str) -> Record | None:
        tty = self._kernel.top["ttys"].get(terminal)
        return self._kernel.procs.get(tty["leader"]) if tty is not None else None

    def close_terminal(self, name: str) -> None:
        """Forget a terminal whose processes have ended."""
        self._kernel.touch()
        self._kernel.top["ttys"].pop(name, None)

    # --- network and answers --------------------------------------------------------------------

    def accept(self, port: int, ip: str, peer_ip: str, peer_port: int) -> str | None:
        """A connection from outside: its socket, None when nobody listens or the backlog is full."""
        self._kernel.touch()
        sock = sockets.incoming(self._kernel, ip, port, peer_ip, peer_port)
        self._told()
        return sock

    def connected(self, sock: str) -> None:
        """The connection that ``MachineHost.connect`` asked for is there."""
        self._kernel.touch()
        sockets.settled(self._kernel, sock)
        self._told()

    def failed(self, sock: str, reason: str) -> None:
        """It failed or broke: ``refused``, ``timeout``, ``unreachable``, ``reset``."""
        self._kernel.touch()
        sockets.settled(self._kernel, sock, reason)
        self._told()

    def received(self, sock: str, text: str) -> None:
        """Bytes from the peer."""
        self._kernel.touch()
        sockets.arrived(self._kernel, sock, text)
        self._told()

    def closed(self, sock: str) -> None:
        """The peer writes no more."""
        self._kernel.touch()
        sockets.ended(self._kernel, sock)
        self._told()

    def acked(self, sock: str, count: int) -> None:
        """The peer has taken that many bytes."""
        self._kernel.touch()
        sockets.acked(self._kernel, sock, count)
        self._told()

    def _told(self) -> None:
        """Something arrived: the machine wants to run if anybody waited for it."""
        kernel = self._kernel
        if kernel.ready:
            kernel.host.wake(kernel.now)

    def datagram_in(self, port: int, peer_ip: str, peer_port: int, data: str, ip: str = "") -> bool:
        """A datagram; False when nobody is bound there."""
        self._kernel.touch()
        taken = sockets.datagram(self._kernel, ip, port, peer_ip, peer_port, data)
        self._told()
        return taken

    def listens(self, port: int, ip: str = "") -> bool:
        """Does a process listen on this TCP port?"""
        return sockets.bound(self._kernel, "tcp", ip, port) is not None

    def resolved(self, call: str, found: Sequence[str] | str) -> None:
        """The answer to ``MachineHost.resolve``: addresses, or the reason why there are none."""
        record = self._kernel.top["calls"].get(call)
        if record is None:
            return
        event = "unresolved" if isinstance(found, str) else "resolved"
        self._answer(call, [event, record["name"], found if isinstance(found, str) else list(found)])

    def answer(self, call: str, data: Any, *, last: bool = True) -> None:
        """An answer to ``MachineHost.call``; there may be several, up to the last."""
        if call in self._kernel.top["calls"]:
            self._answer(call, ["answer", int(call), data], last)

    def _answer(self, call: str, event: list[Any], last: bool = True) -> None:
        kernel = self._kernel
        kernel.touch()
        calls = kernel.top["calls"]
        key = (calls.pop(call) if last else calls[call])["process"]
        kind = kernel.procs[key].get("kind") if key in kernel.procs else None
        if kind == "on":
            kernel.process(key)["events"].append(event)
        elif kind == "sh":
            kernel.process(key)["answered"] = event
        else:
            return
        kernel.wake(key, outside=True)
        kernel.host.wake(kernel.now)

    def calls(self) -> list[str]:
        """The calls that the host has not answered for good yet."""
        return [key for key, call in self._kernel.top["calls"].items() if call["what"] == "call"]

    # --- files for the host ---------------------------------------------------------------------

    def read_file(self, root: str, path: str) -> str | None:
        """A file's byte text, None when there is none."""
        who = {"root": root, "uid": 0, "gid": 0, "groups": []}
        try:
            return self._kernel.files({"who": who, "cwd": "/", "umask": 0o022}).read(path)
        except FileError:
            return None

    # --- running --------------------------------------------------------------------------------

    def run(self, now: int, budget: int = HOST_BUDGET) -> int | None:
        """Run what is ready and due at ``now`` (µs), for about ``budget`` steps; when to be called again.

        That is ``now`` itself when the budget ended it: cutting has no effect on results.
        """
        return turns.run(self._kernel, now, budget)

    # --- state ----------------------------------------------------------------------------------

    def state(self) -> Record:
        """The whole machine as JSON data, by reference."""
        if self._given is None or not self._kernel.given_out:
            self._given = {"machine": self._kernel.give_out(), "files": self.storage.state()}
        return self._given

    def load(self, state: Record) -> None:
        """Become the machine whose state this is."""
        self._given = state
        self._kernel.take_over(state["machine"])
        self.storage.load(state["files"])

    @property
    def steps(self) -> int:
        """Steps done since the machine was made: what it has cost the host."""
        steps: int = self._kernel.top["totals"]["steps"]
        return steps

    def usage(self, root: str = "", now: int = 0) -> dict[str, int]:
        """At ``now``, of a container or of all: ``cpu`` (µs so far), ``processes``, ``memory`` (bytes as ``budgets``
        counts them), ``output`` (bytes, of the whole machine); of a container with a limit of processor time also
        ``periods``, ``throttled`` (how many were too short) and ``waited`` (µs in which it might not run)."""
        kernel = self._kernel
        now = max(now, kernel.now)
        chosen = [
            each
            for each in kernel.procs.values()
            if root in ("", each["who"]["root"]) and each["state"] != "Z"
        ]
        used = kernel.top["used"]
        return {
            "cpu": (used.get(root, 0) if root else sum(used.values()))
            + sum(
                each["cpu"] + (kernel.computed(each, now - each["since"]) if each["held"] else 0)
                for each in chosen
            ),
            "processes": len(chosen),
            "memory": sum(map(budgets.memory, chosen)),
            "output": kernel.top["totals"]["output"],
            **self._periods(root, now),
        }

    def _periods(self, root: str, now: int) -> dict[str, int]:
        if root not in self._kernel.bandwidth:
            return {}
        row = self._kernel.bandwidth[root].copy()
        held = [each for each in self._kernel.procs.values() if each["held"] and each["who"]["root"] == root]
        bandwidth.renew(row, now, busy=bool(held))
        return {name: row[name] for name in ("periods", "throttled", "waited")}
