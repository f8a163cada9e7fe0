"""What the containers of one Pod share: address, volumes, and the virtual time of their scripts.

``history`` is the Pod's life as data. The live part (file systems, running shells) is made from it when it is
needed first, so that a Pod of plain servers costs nothing and a restored Pod is the same as before.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cluster_engine.container_runtime.commands import BUILTINS, TOOLS
from cluster_engine.container_runtime.filesystem import build, directory_of, refresh
from cluster_engine.container_runtime.image import Image
from cluster_engine.container_runtime.network import Network
from cluster_engine.container_runtime.registry import find
from cluster_engine.container_runtime.script import BURST, Script, World
from cluster_engine.shell.context import Host
from cluster_engine.shell.limits import DEFAULT
from cluster_engine.shell.shell import Shell, run_argv
from cluster_engine.shell.vfs import Directory, File, Vfs

HISTORY = 400
"""Entries kept; a Pod that is meddled with more often than that forgets the oldest."""
CATCH_UP = 500_000
"""Wake-ups of scripts that one catching-up may take."""

Node = dict[str, Any]
"""A file tree, as ``linux.files`` knows it."""


@dataclass(slots=True)
class Profile:
    """What is known of one container, as far as files and processes go."""

    mounts: list[list[Any]]
    workdir: str = ""
    uid: int = 0
    gid: int = 0
    read_only: bool = False
    message_path: str = ""


@dataclass(slots=True)
class _Live:
    volumes: dict[str, Directory | File]
    files: dict[str, Vfs] = field(default_factory=dict)
    scripts: dict[str, Script] = field(default_factory=dict)
    images: dict[str, str] = field(default_factory=dict)


class Sandbox:
    """One Pod's. ``profile`` and ``network`` are given anew after a restore; the rest is data."""

    __slots__ = (
        "_live",
        "history",
        "hostname",
        "ip",
        "namespace",
        "network",
        "profile",
        "resolver",
        "slept",
        "volumes",
    )

    def __init__(
        self,
        hostname: str,
        namespace: str,
        ip: str,
        volumes: dict[str, Node],
        resolver: str,
        profile: Callable[[str], Profile],
        network: Network | None,
    ) -> None:
        self.hostname = hostname
        self.namespace = namespace
        self.ip = ip
        self.volumes = volumes
        """Each volume's tree when the Pod started."""
        self.resolver = resolver
        """The text of /etc/resolv.conf."""
        self.history: list[list[Any]] = []
        self.profile = profile
        self.network = network
        self.slept = 0.0
        """Virtual seconds that the last command from outside wanted to sleep."""
        self._live: _Live | None = None

    # ---- processes -------------------------------------------------------------------------------------

    def start(self, name: str, image: str, argv: list[str], env: Mapping[str, str], now: int) -> Script:
        """Runs a container's main process as a script. The caller looks at ``exit`` and ``next_due``."""
        live = self._at(now)
        answers: list[Any] = []
        self._remember(["start", now, name, image, argv, dict(env), answers])
        return self._start(live, name, image, argv, env, now, answers)

    def fresh(self, name: str, now: int) -> None:
        """A container that is no script starts anew: with its image's files."""
        if self.history:
            self._remember(["fresh", now, name])
        if self._live is not None:
            self._live.files.pop(name, None)
            self._live.scripts.pop(name, None)

    def signal(self, name: str, signal: str, now: int) -> bool:
        """Whether the container's script handles the signal."""
        script = self._at(now).scripts.get(name)
        self._remember(["signal", now, name, signal])
        return script.signal(signal, now) if script is not None and script.alive else False

    def stop(self, name: str, now: int) -> list[list[Any]]:
        """Kills a script; the lines that it wrote."""
        live = self._at(now)
        script = live.scripts.pop(name, None)
        if script is None:
            return []
        self._remember(["stop", now, name])
        script.kill()
        return script.lines

    def script(self, name: str, now: int) -> Script | None:
        """The running script of a container, brought to the present."""
        return self._at(now).scripts.get(name) if self.history else None

    def next_due(self, now: int) -> int | None:
        """When a script of this Pod wakes next."""
        if not self.history:
            return None
        dues = [d for s in self._at(now).scripts.values() if (d := s.next_due()) is not None]
        return min(dues, default=None)

    def ended(self, now: int) -> list[tuple[str, int, int]]:
        """(container, when, exit code) of scripts that have ended and were not stopped yet."""
        if not self.history:
            return []
        return [(name, *s.exit) for name, s in self._at(now).scripts.items() if s.exit is not None]

    # ---- commands from outside -------------------------------------------------------------------------

    def execute(
        self, name: str, image: str, env: Mapping[str, str], argv: list[str], stdin: bytes, now: int
    ) -> tuple[int, bytes, bytes]:
        """Runs a command in a container to its end. Raises FileNotFoundError when there is no such program.

        Virtual time stands still meanwhile: ``sleep`` returns at once.
        """
        live = self._at(now)
        vfs = self._files(live, name, image)
        answers: list[Any] = []
        vfs.changes()
        result = self._execute(live, name, image, env, argv, stdin, now, answers)
        if vfs.changes():
            # Only what changed files has to be done again after a restore.
            text = base64.b64encode(stdin).decode()
            self._remember(["exec", now, name, image, dict(env), argv, text, answers])
        return result

    def _execute(
        self,
        live: _Live,
        name: str,
        image: str,
        env: Mapping[str, str],
        argv: list[str],
        stdin: bytes,
        now: int,
        answers: list[Any],
    ) -> tuple[int, bytes, bytes]:
        found, tag = find(image)
        tools = self._tools(found, tag)
        vfs = self._files(live, name, image)
        if not executable(found, tag, vfs, argv[0]):
            raise FileNotFoundError(argv[0])
        base = argv[0].rpartition("/")[2]
        if base in found.programs and base not in TOOLS[tools]:
            return 126, b"", f"{base}: a second server in a container is not simulated\n".encode()
        world, profile = self._world(name), self.profile(name)
        world.now = now
        position = 0

        def ask(call: str) -> Callable[..., Any]:
            def answer(*args: Any) -> Any:
                nonlocal position
                if position == len(answers):
                    answers.append(world.answer(call, args))
                position += 1
                return answers[position - 1]

            return answer

        self.slept = 0.0

        def sleep(seconds: float) -> None:
            self.slept += seconds

        def to_main(signal: str) -> None:
            script = live.scripts.get(name)
            if script is not None and script.alive:
                script.signal(signal, now)

        extra = {"hostname": world.hostname, "ip": world.ip, "uid": world.uid, "gid": world.gid}
        shell = Shell(
            vfs,
            env,
            host=Host(now=lambda: now, extra=extra),
            commands=TOOLS[tools],
            cwd=profile.workdir or found.workdir,
            limits=DEFAULT,
        )
        words = [base if base in TOOLS[tools] else argv[0], *argv[1:]]
        calls: dict[str, Callable[..., Any]] = {name: ask(name) for name in ("http", "lookup", "connect")}
        calls |= {"signal": to_main, "sleep": sleep}
        result = run_argv(shell, words, stdin=stdin, answers=calls)
        return result.status, result.out, result.err

    def files_of(self, name: str, image: str, now: int) -> Vfs:
        """A container's file system (to serve files from)."""
        return self._files(self._at(now), name, image)

    def set_volume(self, volume: str, node: Node, now: int) -> None:
        """Makes a volume, or gives it a new tree that containers see at once."""
        if not self.history:
            self.volumes[volume] = node
        else:
            self._at(now)
            self._remember(["volume", now, volume, node])
        if self._live is not None:
            self._set(self._live, volume, node)

    def volume(self, name: str) -> Node | None:
        """A volume's tree as it was last set."""
        set_later = (
            entry[3] for entry in reversed(self.history) if entry[0] == "volume" and entry[2] == name
        )
        return next(set_later, self.volumes.get(name))

    @staticmethod
    def _set(live: _Live, volume: str, node: Node) -> None:
        known = live.volumes.get(volume)
        if known is None:
            live.volumes[volume] = directory_of(node)
        else:
            refresh(known, node)

    # ---- the live part ---------------------------------------------------------------------------------

    def _at(self, now: int) -> _Live:
        live = self._live
        if live is None:
            live = self._live = _Live({name: directory_of(files) for name, files in self.volumes.items()})
            for entry in self.history:
                self._run_to(live, entry[1])
                self._again(live, entry)
        if live.scripts:
            self._run_to(live, now)
        return live

    def _run_to(self, live: _Live, goal: int) -> None:
        """Lets the scripts of the Pod run, always the one that wakes first."""
        for _ in range(CATCH_UP):
            due: int | None = None
            first: Script | None = None
            for script in live.scripts.values():
                wakes = script.next_due()
                if wakes is not None and wakes <= goal and (due is None or wakes < due):
                    due, first = wakes, script
            if first is None:
                return
            first.wake()

    def _again(self, live: _Live, entry: list[Any]) -> None:
        kind, at, name = entry[0], entry[1], entry[2]
        if kind == "start":
            self._start(live, name, entry[3], entry[4], entry[5], at, entry[6])
        elif kind == "fresh":
            live.files.pop(name, None)
            live.scripts.pop(name, None)
        elif kind == "signal":
            script = live.scripts.get(name)
            if script is not None and script.alive:
                script.signal(entry[3], at)
        elif kind == "stop":
            script = live.scripts.pop(name, None)
            if script is not None:
                script.kill()
        elif kind == "volume":
            self._set(live, name, entry[3])
        elif kind == "exec":
            stdin = base64.b64decode(entry[6])
            self._execute(live, name, entry[3], entry[4], entry[5], stdin, at, entry[7])

    def _start(
        self,
        live: _Live,
        name: str,
        image: str,
        argv: list[str],
        env: Mapping[str, str],
        now: int,
        answers: list[Any],
    ) -> Script:
        found, tag = find(image)
        live.files.pop(name, None)
        profile = self.profile(name)
        script = live.scripts[name] = Script(
            argv,
            env,
            self._files(live, name, image),
            self._world(name),
            now,
            tools=self._tools(found, tag),
            workdir=profile.workdir or found.workdir,
            answers=answers,
        )
        return script

    def _files(self, live: _Live, name: str, image: str) -> Vfs:
        vfs = live.files.get(name)
        if vfs is None:
            found, tag = find(image)
            profile = self.profile(name)
            etc = {
                "/etc/hostname": f"{self.hostname}\n",
                "/etc/resolv.conf": self.resolver,
                "/etc/passwd": "root:x:0:0:root:/root:/bin/sh\n",
            }
            if profile.message_path:
                etc[profile.message_path] = ""
            workdir = profile.workdir or found.workdir
            vfs = build(found, tag, profile.mounts, live.volumes, etc, workdir, profile.read_only)
            live.files[name] = vfs
        return vfs

    def _world(self, name: str) -> World:
        profile = self.profile(name)
        world = World(self.hostname, self.ip, self.namespace, self.network)
        world.uid, world.gid = profile.uid, profile.gid
        return world

    @staticmethod
    def _tools(image: Image, tag: str) -> str:
        return "curl" if image.repository.endswith("/curl") else image.tools_of(tag)

    def _remember(self, entry: list[Any]) -> None:
        self.history.append(entry)
        if len(self.history) > HISTORY:
            del self.history[: HISTORY // 4]

    def state(self) -> list[Any]:
        return [self.hostname, self.namespace, self.ip, self.volumes, self.resolver, self.history]

    @classmethod
    def load(cls, state: list[Any], profile: Callable[[str], Profile], network: Network | None) -> Sandbox:
        sandbox = cls(state[0], state[1], state[2], dict(state[3]), state[4], profile, network)
        # Entries hold lists that go on growing (answers): a fork must not share them.
        sandbox.history = [[list(x) if isinstance(x, list) else x for x in entry] for entry in state[5]]
        return sandbox


def executable(image: Image, tag: str, vfs: Vfs | None, word: str) -> bool:
    """Whether the image has that program."""
    base = word.rpartition("/")[2]
    tools = "curl" if image.repository.endswith("/curl") else image.tools_of(tag)
    if base in image.programs or (base in TOOLS[tools] and base not in BUILTINS):
        return True
    return vfs is not None and "/" in word and vfs.is_file(word)


__all__ = ["BURST", "Profile", "Sandbox", "executable"]
