"""The system calls of ``program.Sys``, as the machine gives them to a program for one call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from cluster_engine.linux import descriptors, pipes, processes, sockets, terminals
from cluster_engine.linux.errors import BAD_DESCRIPTOR, FileError
from cluster_engine.linux.files import Files
from cluster_engine.linux.kernel import Kernel, Record
from cluster_engine.linux.limits import BYTES_PER_STEP
from cluster_engine.linux.program import Exit
from cluster_engine.linux.text import octets


class Replaced(Exception):
    """The process has become another program; only the machine catches it."""


class NeedsProcess(Exception):
    """An instant program asked for what only a process of its own can do; it is started again as one."""


class Calls:
    """One process's system calls (``program.Sys``)."""

    __slots__ = ("_argv", "_env", "_fds", "_files", "kernel", "process", "ticks")

    def __init__(
        self,
        kernel: Kernel,
        process: Record,
        argv: list[str] | None = None,
        env: dict[str, str] | None = None,
        fds: dict[str, str] | None = None,
    ) -> None:
        """``argv``, ``env``, ``fds``: of an instant program that runs inside a shell's step; without ``env`` its
        environment is what the shell exports."""
        self.kernel = kernel
        self.process = process
        self.ticks = 0
        self._argv = argv
        self._env = env
        self._fds = fds
        self._files: Files | None = None

    # --- who and where --------------------------------------------------------------------------

    @property
    def name(self) -> str:
        argv = self.argv
        return argv[0].rpartition("/")[2] if argv else ""

    @property
    def pid(self) -> int:
        pid: int = self.process["pid"]
        return pid

    @property
    def ppid(self) -> int:
        parent = self.kernel.procs.get(self.process["parent"])
        if parent is None or parent["who"]["ns"] != self.process["who"]["ns"]:
            return 0
        pid: int = parent["pid"]
        return pid

    @property
    def uid(self) -> int:
        uid: int = self.process["who"]["uid"]
        return uid

    @property
    def gid(self) -> int:
        gid: int = self.process["who"]["gid"]
        return gid

    @property
    def groups(self) -> list[int]:
        return list(self.process["who"]["groups"])

    @property
    def argv(self) -> list[str]:
        return self._argv if self._argv is not None else list(self.process["argv"])

    @property
    def env(self) -> dict[str, str]:
        if self._env is not None:
            return dict(self._env)
        if self._fds is None:
            return dict(self.process["env"])
        variables = self.process["vars"]
        return {name: variables[name] for name in self.process["exported"] if name in variables}

    @property
    def cwd(self) -> str:
        cwd: str = self.process["cwd"]
        return cwd

    @property
    def umask(self) -> int:
        umask: int = self.process["umask"]
        return umask

    @property
    def now(self) -> int:
        self.kernel.acts += 1
        return self.kernel.now

    @property
    def hostname(self) -> str:
        hostname: str = self.kernel.top["hostname"]
        return hostname

    @property
    def flavour(self) -> str:
        flavour: str = self.process["who"]["flavour"]
        return flavour

    @property
    def fs(self) -> Files:
        self.kernel.acts += 1
        if self._files is None:
            self._files = self.kernel.files(self.process)
        return self._files

    # --- calls that never wait ------------------------------------------------------------------

    def _desc(self, fd: int) -> str:
        desc: str | None = (self.process["fds"] if self._fds is None else self._fds).get(str(fd))
        if desc is None:
            raise FileError(BAD_DESCRIPTOR)
        return desc

    def write(self, fd: int, text: str) -> None:
        if text:
            self._put(self._desc(fd), text)

    def _put(self, desc: str, text: str) -> None:
        if not text.isascii() and max(text) > "\xff":
            text = octets(text)
        self.ticks += len(text) // BYTES_PER_STEP
        if desc == "n":
            self.kernel.acts += 1
        else:
            descriptors.put(self.kernel, self.process, desc, text)

    def out(self, text: str) -> None:
        desc = (self.process["fds"] if self._fds is None else self._fds).get("1")
        if text and desc is not None:
            self._put(desc, text)

    def err(self, text: str) -> None:
        desc = (self.process["fds"] if self._fds is None else self._fds).get("2")
        if text and desc is not None:
            self._put(desc, text)

    def error(self, message: str) -> None:
        self.err(f"{self.name}: {message}\n")

    def tick(self, count: int = 1) -> None:
        self.ticks += count

    def spend(self, microseconds: int, over: int = 0) -> None:
        self.kernel.spend(self.process, microseconds, over)

    def open(self, path: str, flags: str = "r") -> int:
        return descriptors.place(
            self.kernel, self.process, descriptors.open_path(self.kernel, self.process, path, flags)
        )

    def close(self, fd: int) -> None:
        desc = self._desc(fd)
        del self.process["fds"][str(fd)]
        descriptors.release(self.kernel, desc)

    def dup(self, fd: int, to: int | None = None) -> int:
        desc = self._desc(fd)
        descriptors.retain(self.kernel, desc)
        if to is None:
            return descriptors.place(self.kernel, self.process, desc)
        before = self.process["fds"].get(str(to))
        self.process["fds"][str(to)] = desc
        if before is not None:
            descriptors.release(self.kernel, before)
        return to

    def isatty(self, fd: int) -> bool:
        fds = self.process["fds"] if self._fds is None else self._fds
        return bool(fds.get(str(fd), "n")[0] == "t")

    def _terminal(self, fd: int) -> Record | None:
        fds = self.process["fds"] if self._fds is None else self._fds
        desc = fds.get(str(fd), "n")
        return self.kernel.top["ttys"].get(desc[1:]) if desc[0] == "t" else None

    def window(self, fd: int) -> tuple[int, int] | None:
        tty = self._terminal(fd)
        return (tty["cols"], tty["rows"]) if tty is not None else None

    def terminal_mode(self, fd: int, mode: Mapping[str, bool] | None = None) -> dict[str, bool] | None:
        if self._terminal(fd) is None:
            return None
        if mode:
            terminals.set_modes(self.kernel, self._desc(fd)[1:], mode)
        tty = self._terminal(fd)
        return dict(tty["modes"]) if tty is not None else None

    def chdir(self, path: str) -> None:
        files = self.fs
        if not files.is_dir(path):
            files.stat(path)
            raise FileError("Not a directory", path)
        if not files.access(path, 1):
            raise FileError("Permission denied", path)
        self.process["cwd"] = files.realpath(path)
        self._files = None

    def kill(self, pid: int, signal: str) -> None:
        processes.kill(self.kernel, self.process, pid, signal)

    def processes(self) -> list[dict[str, Any]]:
        self.kernel.acts += 1
        space = self.process["who"]["ns"]
        rows = []
        for record in self.kernel.procs.values():
            if record["who"]["ns"] != space:
                continue
            parent = self.kernel.procs.get(record["parent"])
            rows.append(
                {
                    "pid": record["pid"],
                    "ppid": parent["pid"] if parent is not None and parent["who"]["ns"] == space else 0,
                    "uid": record["who"]["uid"],
                    "argv": list(record["argv"]),
                    "state": "R" if record["held"] or record is self.process else record["state"],
                    "container": record["who"]["root"],
                    "started": record["started"],
                    "cpu": record["cpu"],
                }
            )
        return [*rows, *self.kernel.host.others(space)]

    def addresses(self) -> list[str]:
        return list(self.kernel.top.get("addresses", []))

    def listeners(self) -> list[dict[str, Any]]:
        self.kernel.acts += 1
        space = self.process["who"]["ns"]
        owners: dict[str, tuple[int, str]] = {}
        for record in self.kernel.procs.values():
            if record["who"]["ns"] == space:
                for desc in record["fds"].values():
                    owners.setdefault(desc[1:], (record["pid"], record["argv"][0].rpartition("/")[2]))
        rows = []
        for name, by_ip in self.kernel.top["ports"].items():
            protocol, _, port = name.partition("/")
            for ip, key in by_ip.items():
                pid, program = owners.get(key, (0, ""))
                rows.append({"protocol": protocol, "ip": ip, "port": int(port), "pid": pid, "name": program})
        return sorted(rows, key=lambda row: (row["protocol"], row["port"], row["ip"]))

    def trap(self, signal: str, action: str) -> None:
        traps = {name: each for name, each in self.process["traps"].items() if name != signal}
        if action != "default":
            traps[signal] = "" if action == "ignore" else "catch"
        self.process["traps"] = traps

    def exit(self, status: int) -> NoReturn:
        raise Exit(status)

    def exec(self, argv: list[str], env: Mapping[str, str] | None = None) -> NoReturn:
        if self._fds is not None:
            raise NeedsProcess
        processes.execute(self.kernel, self.process, argv, dict(self.env if env is None else env))
        raise Replaced

    # --- sockets --------------------------------------------------------------------------------

    def _socket(self, key: str) -> int:
        record = self.kernel.stream(key)
        record["refs"] += 1
        number = descriptors.place(self.kernel, self.process, "k" + key)
        record["watch"] = [self.process["id"], number]
        return number

    def listen(self, port: int, ip: str = "") -> int:
        self.kernel.acts += 1
        return self._socket(sockets.listen(self.kernel, ip, port))

    def bind_udp(self, port: int, ip: str = "") -> int:
        self.kernel.acts += 1
        return self._socket(sockets.bind(self.kernel, ip, port))

    def sendto(self, fd: int, ip: str, port: int, data: str) -> None:
        self.kernel.acts += 1
        sockets.send_to(self.kernel, self._desc(fd)[1:], ip, port, data)

    def shutdown(self, fd: int) -> None:
        self.kernel.acts += 1
        sockets.shutdown(self.kernel, self._desc(fd)[1:])

    def connect(self, ip: str, port: int) -> int:
        self.kernel.acts += 1
        key = sockets.connect(self.kernel, ip, port)
        number = self._socket(key)
        if self.kernel.io[key]["state"] != "connecting":
            self.process["hot"].append(number)
        return number

    # --- calls that are answered by an event ----------------------------------------------------

    def read(self, fd: int) -> None:
        desc = self._desc(fd)
        if desc[0] == "k":
            record = self.kernel.stream(desc[1:])
            record["asked"] = True
            if (record["n"] or record["eof"] or record["error"]) and fd not in self.process["hot"]:
                self.process["hot"].append(fd)
        elif fd not in self.process["asks"]:
            self.process["asks"].append(fd)

    def unread(self, fd: int, text: str) -> None:
        desc = self._desc(fd)
        if desc[0] == "t":
            terminals.unread_keys(self.kernel, desc[1:], text)
        else:
            descriptors.unread(self.kernel, desc, text)

    def sleep(self, microseconds: int) -> int:
        self.kernel.acts += 1
        return self.kernel.timer(self.process["id"], microseconds, "sleep")

    def cancel(self, timer: int) -> None:
        timers = self.kernel.timers
        timers[:] = [each for each in timers if each[1] != timer or each[2] != self.process["id"]]
        self.process["fired"] = [each for each in self.process["fired"] if each != timer]

    def spawn(
        self,
        argv: list[str],
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        fds: Mapping[int, int] | None = None,
        group: bool = False,
    ) -> int:
        kernel, process = self.kernel, self.process
        if self._fds is not None or "kids" not in process:
            raise NeedsProcess
        environment = dict(self.env if env is None else env)
        full = processes.find(kernel, process, argv[0] if argv else "", environment.get("PATH"))
        program, argv = processes.load(kernel, process, full, argv)
        if fds is None:
            given = dict(process["fds"])
        else:
            given = {str(number): self._desc(fd) for number, fd in fds.items()}
        child = processes.child_of(kernel, process, given)
        if cwd is not None:
            child["cwd"] = cwd
        if group:
            child["group"] = child["id"]
        processes.start(kernel, child, program, argv, environment)
        process["kids"] = [*process["kids"], child["id"]]
        pid: int = child["pid"]
        return pid

    def pipe(self) -> tuple[int, int]:
        key = pipes.make(self.kernel)
        ends = []
        for letter in ("r", "w"):
            descriptors.retain(self.kernel, letter + key)
            ends.append(descriptors.place(self.kernel, self.process, letter + key))
        return ends[0], ends[1]

    def _call(self, **fields: Any) -> str:
        self.kernel.acts += 1
        key = self.kernel.fresh()
        self.kernel.top["calls"][key] = {"process": self.process["id"], **fields}
        return key

    def resolve(self, name: str) -> None:
        key = self._call(what="resolve", name=name)
        self.kernel.host.resolve(key, self.process["who"]["root"], name)

    def call(self, name: str, args: Any) -> int:
        key = self._call(what="call", name=name)
        self.kernel.host.call(key, name, args)
        return int(key)

    def tell(self, call: int, data: Any) -> None:
        self.kernel.acts += 1
        if str(call) in self.kernel.top["calls"]:
            self.kernel.host.tell(str(call), data)

    def more(self) -> None:
        self.process["more"] = True
