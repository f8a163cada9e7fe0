"""Runs the one real program, confined; an adapter to asyncio and to the host's processes.

The files of the terminal's machine are laid out in a private scratch folder, the program runs there
through `launcher.py` (Landlock, seccomp, limits, no capabilities, clean environment), and what
it changed comes back. The kubeconfig lies beside the learner's tree.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cluster_engine.linux.errors import FileError
from cluster_engine.linux.files.tree import Node
from cluster_engine.linux.limits import MIB
from cluster_engine.terminal import launcher
from cluster_engine.terminal.beside import Outcome, Output, ReadInput
from cluster_engine.terminal.child import Child, size
from cluster_engine.terminal.disk import Disk, data_of, normal
from cluster_engine.terminal.meanings import plainly

LAUNCHER = Path(launcher.__file__)
MINIMUM_ABI = 4
MAX_KUBECONFIG = 256 * 1024
TOGETHER = 64
"""Programs of all terminals of this process at a time."""
MEMORY_TOGETHER = 2048 * MIB
"""Resident bytes of all programs of this process; past it the largest ends before another begins."""
HELD = 6
"""Bytes that begin a host's path at the end of an output: so many wait for what follows, fewer (an echo) do not."""


class ConfinementError(RuntimeError):
    """This machine cannot confine the program, and nobody allowed it to run freely."""


@dataclass(frozen=True, slots=True)
class ProgramLimits:
    """Ceilings of one run (the launcher adds CPU 60 s, 384 MiB of memory, 16 MiB a file)."""

    timeout: float = 3600.0
    output: int = 8 * MIB
    files: int = 2_000
    file: int = MIB
    running: int = 8


def landlock_abi() -> int:
    """The kernel's Landlock version, 0 if there is none (4 is needed to restrict TCP)."""
    return launcher.landlock_abi() if sys.platform == "linux" else 0


def confinement() -> tuple[str, ...]:
    """The confinements this machine has: of `landlock`, `seccomp`."""
    found: list[str] = []
    if landlock_abi() >= MINIMUM_ABI:
        found.append("landlock")
    if sys.platform == "linux" and os.uname().machine in launcher.SECCOMP:
        found.append("seccomp")
    return tuple(found)


class ConfinedProgram:
    """One learner's program: a scratch folder, a kubeconfig, any number of runs."""

    def __init__(
        self,
        binary: Path,
        *,
        api_port: int | None,
        kubeconfig: str,
        home: str = "/home/learner",
        allow_unconfined: bool = False,
        limits: ProgramLimits | None = None,
        parent: Path | None = None,
    ) -> None:
        self._flags = confinement()
        missing = [each for each in ("landlock", "seccomp") if each not in self._flags]
        if missing and not allow_unconfined:
            raise ConfinementError(
                f"{binary.name} cannot be confined here: {' and '.join(missing)} missing "
                f"(Linux 6.7 or later with Landlock ABI {MINIMUM_ABI} is needed; found {landlock_abi()})"
            )
        self.confined = not missing
        self.limits = limits or ProgramLimits()
        self._binary = binary.resolve()
        self._port = api_port or 0
        self._home = home
        self._scratch = Path(tempfile.mkdtemp(prefix="drydock-", dir=parent)).resolve()
        for name in ("root", "etc", "cache", "tmp"):
            (self._scratch / name).mkdir(mode=0o700)
        self._kept = self._scratch.with_name(f"{self._scratch.name}.kept")
        self._kept.mkdir(mode=0o700)
        self._config = self._scratch / "etc" / "config"
        self._laid: dict[str, tuple[Node, tuple[int, int]]] = {}
        self._running: list[Run] = []
        self.closed = False
        self.kubeconfig = kubeconfig

    @property
    def kubeconfig(self) -> str:
        """The kubeconfig as the program last left it (`kubectl config set-context` changes it)."""
        try:
            descriptor = os.open(self._config, os.O_RDONLY | os.O_NOFOLLOW)
        except FileNotFoundError:
            return ""
        with os.fdopen(descriptor, "rb") as file:
            return file.read(MAX_KUBECONFIG).decode("utf-8", "replace")

    @kubeconfig.setter
    def kubeconfig(self, text: str) -> None:
        descriptor = os.open(self._config, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)

    async def run(
        self,
        argv: Sequence[str],
        files: Disk,
        *,
        stdin: ReadInput | None = None,
        on_output: Output,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
        tty: bool = False,
        size: tuple[int, int] = (80, 24),
        timeout: float | None = None,
        output_limit: int | None = None,
    ) -> Outcome:
        """Run to the end; see `start` for a run that can be interrupted or resized."""
        run = self.start(argv, files, cwd=cwd, env=env, tty=tty, size=size)
        return await run.wait(stdin, on_output, timeout=timeout, output_limit=output_limit)

    def start(
        self,
        argv: Sequence[str],
        files: Disk,
        *,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
        tty: bool = False,
        size: tuple[int, int] = (80, 24),
        keeps: bool = False,
    ) -> Run:
        """Lay the files out and start the program. `OSError` if that fails.

        `keeps`: it may not remove what it writes to its temporary folder; see `kept`.
        """
        if self.closed:
            raise ConfinementError("the terminal is closed")
        if len(self._running) >= self.limits.running:
            raise ConfinementError(f"more than {self.limits.running} programs at a time")
        _make_room()
        here = cwd or self._home
        self._lay_out(files)
        folder = self._real(here)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if keeps and not self.confined:
            raise ConfinementError("this machine cannot keep what it compares")
        own = self._environment(env or {}, size) | ({"TMPDIR": str(self._kept)} if keeps else {})
        variables = [f"{name}={value}" for name, value in own.items()]
        arguments = [argv[0], *map_arguments(list(argv[1:]), files, here)]
        command = [
            sys.executable, "-I", "-S", str(LAUNCHER),
            ",".join([*self._flags, "tty" if tty else "pipes"]),
            str(self._port), str(self._scratch), str(self._kept), str(folder), str(self._binary),
            str(len(variables)), *variables, *arguments,
        ]  # fmt: skip
        if any("\0" in each for each in command):
            raise ConfinementError("an argument contains a NUL character")
        run = Run(self, Child([os.fsencode(each) for each in command], tty, size), files)
        self._running.append(run)
        _EVERYWHERE.append(run)
        return run

    def close(self) -> None:
        """Kill what runs and remove the scratch folder."""
        self.closed = True
        for run in list(self._running):
            run.kill()
        shutil.rmtree(self._scratch, ignore_errors=True)
        shutil.rmtree(self._kept, ignore_errors=True)

    # --- files ------------------------------------------------------------------------------

    def _real(self, path: str) -> Path:
        return Path(os.fsdecode(os.fsencode(str(self._scratch / "root") + normal(path))))

    def _environment(self, env: Mapping[str, str], dimensions: tuple[int, int]) -> dict[str, str]:
        """Nothing of the host's environment and little of the learner's."""
        config = str(self._config)
        if env.get("KUBECONFIG"):
            config = ":".join(
                str(self._real(normal(each, self._home))) for each in env["KUBECONFIG"].split(":")
            )
        return {
            "HOME": str(self._real(self._home)),
            "PATH": "",
            "KUBECONFIG": config,
            "KUBECACHEDIR": str(self._scratch / "cache"),
            "TMPDIR": str(self._scratch / "tmp"),
            "TERM": "xterm-256color",
            "LANG": "C.UTF-8",
            "COLUMNS": str(dimensions[0]),
            # Names are resolved by Go itself, with no resolver to reach: no look-up leaves the machine.
            "GODEBUG": "netdns=go",
            "GOMAXPROCS": "2",
            # Collected seldom: most kubectls end before they have filled what they may have, and start a fifth cheaper.
            "GOGC": "400",
            # Collected harder before the limit is met.
            "GOMEMLIMIT": "256MiB",
        }

    def hide(self, data: bytes) -> tuple[bytes, bytes]:
        """Output without the host's paths in it, and its end where that may be the beginning of one."""
        scratch = os.fsencode(self._scratch)
        root, held = scratch + b"/root", b""
        for length in range(min(len(root) - 1, len(data)), HELD - 1, -1):
            if root.startswith(data[-length:]):
                data, held = data[:-length], data[-length:]
                break
        binary = os.fsencode(self._binary), os.fsencode(self._binary.name)
        for path, shown in ((root, b""), (os.fsencode(self._kept), b"/tmp"), (scratch, b""), binary):
            data = data.replace(path, shown)
        return data, held

    def _lay_out(self, files: Disk) -> None:
        """Bring the scratch folder to the state of the machine's files, touching only differences."""
        wanted: dict[str, Node] = {}
        folders: list[str] = []
        for path, node in files.walk():
            if "\0" not in path:
                if node["t"] == "f":
                    wanted[path] = node
                else:
                    folders.append(path)
        if len(wanted) + len(folders) > self.limits.files:
            raise ConfinementError(f"it works with at most {self.limits.files:,} files; remove some")
        for path in [path for path in self._laid if path not in wanted]:
            with contextlib.suppress(OSError):
                os.unlink(self._real(path))
            del self._laid[path]
        for path in folders:
            self._real(path).mkdir(mode=0o700, exist_ok=True)
        for path, node in wanted.items():
            if path in self._laid and self._laid[path][0] is node:
                continue
            real = self._real(path)
            descriptor = os.open(real, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data_of(node))
            self._laid[path] = (node, _stamp(os.lstat(real)))

    def collect(self, files: Disk) -> list[str]:
        """Bring back what the program changed; returns complaints (files that do not fit).

        What the machine does not take, the host does not keep either: it would fill the host's disk, run by run.
        """
        complaints: list[str] = []
        seen: dict[str, None] = {}
        stack, entries = [self._scratch / "root"], 0
        while stack:
            with os.scandir(stack.pop()) as listing:
                found = sorted(listing, key=lambda entry: entry.name)
            for entry in found:
                entries += 1
                if entries > self.limits.files * 2:
                    shutil.rmtree(self._scratch / "root", ignore_errors=True)
                    (self._scratch / "root").mkdir(mode=0o700, exist_ok=True)
                    self._laid.clear()
                    return [
                        *complaints,
                        f"more than {self.limits.files} files were left; the rest is not kept",
                    ]
                info = entry.stat(follow_symlinks=False)
                path = entry.path[len(str(self._scratch / "root")) :]
                if stat.S_ISDIR(info.st_mode):
                    stack.append(Path(entry.path))
                elif stat.S_ISREG(info.st_mode):
                    seen[path] = None
                    if complaint := self._take(files, path, info):
                        complaints.append(f"{path}: {complaint}")
                        self._drop(path)
                else:
                    self._drop(path)
        for path in [path for path in self._laid if path not in seen]:
            del self._laid[path]
            files.remove(path)
        return complaints

    def _take(self, files: Disk, path: str, info: os.stat_result) -> str:
        """Puts the file into the machine, unless it is there; why that was not possible."""
        known = self._laid.get(path)
        if known is not None and known[1] == _stamp(info):
            return ""
        if info.st_size > self.limits.file:
            return f"larger than {size(self.limits.file)}, not kept"
        try:
            descriptor = os.open(self._real(path), os.O_RDONLY | os.O_NOFOLLOW)
        except FileNotFoundError:
            return ""
        with os.fdopen(descriptor, "rb") as file:
            data = file.read(self.limits.file)
        try:
            self._laid[path] = (files.write(path, data), _stamp(info))
        except FileError as error:
            return error.reason
        return ""

    def _drop(self, path: str) -> None:
        """Remove it from the scratch folder; the machine's own file of that name is laid out again."""
        with contextlib.suppress(OSError):
            os.unlink(self._real(path))
        self._laid.pop(path, None)

    def kept(self, files: Disk) -> list[str]:
        """Move what a run left in the folder that it could not empty to the machine's /tmp; the folders, in order."""
        moved: list[str] = []
        for folder in sorted(self._kept.iterdir(), key=lambda each: each.name):
            if not folder.is_dir() or folder.is_symlink():
                continue
            for entry in sorted(folder.iterdir(), key=lambda each: each.name)[: self.limits.files]:
                if entry.is_file() and not entry.is_symlink() and entry.stat().st_size <= self.limits.file:
                    files.write(f"/tmp/{folder.name}/{entry.name}", entry.read_bytes())
            if not files.is_dir(f"/tmp/{folder.name}"):
                files.mkdir(f"/tmp/{folder.name}")
            moved.append(f"/tmp/{folder.name}")
            shutil.rmtree(folder, ignore_errors=True)
        return moved if len(moved) == 2 else []

    def ended(self, run: Run) -> None:
        """A run is over."""
        if run in self._running:
            self._running.remove(run)
            _EVERYWHERE.remove(run)


class Run:
    """One run of the program: serve it with `wait`, act on it meanwhile with the rest."""

    def __init__(self, program: ConfinedProgram, child: Child, files: Disk) -> None:
        self._program = program
        self._child = child
        self._files = files
        self.interrupt = child.interrupt
        self.kill = child.kill
        self.resize = child.resize

    @property
    def memory(self) -> int:
        """Resident bytes."""
        return self._child.memory

    @property
    def handles_signals(self) -> bool:
        """Do control characters mean signals on its terminal?"""
        return self._child.handles_signals

    async def wait(
        self,
        stdin: ReadInput | None,
        on_output: Output,
        *,
        timeout: float | None = None,
        output_limit: int | None = None,
    ) -> Outcome:
        """Move bytes until the program ends; then bring its files back."""
        program = self._program

        held: dict[int, bytes] = {}

        async def show(descriptor: int, data: bytes) -> None:
            shown, held[descriptor] = program.hide(held.get(descriptor, b"") + data)
            if shown:
                await on_output(descriptor, plainly(shown))

        try:
            outcome = await self._child.wait(
                stdin,
                show,
                timeout=timeout or program.limits.timeout,
                output_limit=output_limit or program.limits.output,
            )
        finally:
            program.ended(self)
        for descriptor, rest in held.items():
            if rest:
                await on_output(descriptor, rest.replace(os.fsencode(program._scratch), b""))
        if program.closed:
            return Outcome(137, reason="the terminal was closed")
        for complaint in program.collect(self._files):
            await on_output(2, f"{complaint}\n".encode())
        return outcome


_EVERYWHERE: list[Run] = []
"""What runs in all terminals of this process."""


def _make_room() -> None:
    """See that one program more fits into this process's share of the machine. Raises ConfinementError."""
    if len(_EVERYWHERE) >= TOGETHER:
        raise ConfinementError(
            "too many programs run in the terminals of this machine; try again in a moment"
        )
    sizes = [(run.memory, place) for place, run in enumerate(_EVERYWHERE)]
    if sizes and sum(memory for memory, _ in sizes) >= MEMORY_TOGETHER:
        _EVERYWHERE[max(sizes)[1]].kill("it took the most memory of all, and there is none left")


def _stamp(info: os.stat_result) -> tuple[int, int]:
    return (info.st_mtime_ns, info.st_size)


def map_arguments(arguments: list[str], files: Disk, cwd: str) -> list[str]:
    """Absolute paths as relative ones, so that `-f /home/learner/x.yaml` finds its file.

    Only what exists among the machine's files (or could be created there) is taken for a path, and
    nothing behind `--` or `--raw`.
    """
    mapped: list[str] = []
    verbatim = False
    previous = ""
    for argument in arguments:
        if argument == "--":
            verbatim = True
        if verbatim or previous == "--raw":
            mapped.append(argument)
        else:
            mapped.append(_map(argument, files, cwd))
        previous = argument
    return mapped


def _map(argument: str, files: Disk, cwd: str) -> str:
    head, path = "", argument
    if not argument.startswith("/"):
        if len(argument) > 2 and argument[0] == "-" and argument[1] != "-" and argument[2] == "/":
            head, path = argument[:2], argument[2:]
        else:
            before, equals, path = argument.rpartition("=")
            head = before + equals
            if not equals or not path.startswith("/"):
                return argument
    target = normal(path)
    parent = os.path.dirname(target)
    if target == "/" or not (files.exists(target) or (parent != "/" and files.is_dir(parent))):
        return argument
    relative = os.path.relpath(target, normal(cwd))
    return head + relative
