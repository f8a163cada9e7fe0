"""What is saved of a sandbox: its containers and commands, and its machine without the files of images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cluster_engine.container_runtime.registry import Registry
from cluster_engine.container_runtime.setup import Setup, of_plain, plain
from cluster_engine.container_runtime.trees import image_tree, restored, saved
from cluster_engine.linux.files import emptied, filled, pack, unpack
from cluster_engine.linux.files.tree import Node


@dataclass(slots=True)
class Entry:
    setup: Setup
    started: int = 0
    process: int = 0
    """The main process's number on the machine; 0 while the container only waits to be asked."""


@dataclass(slots=True)
class Command:
    """A command in a container that somebody waits for."""

    container: str
    process: int
    then: list[Any]
    """The clock event that gets the answer; empty for a session, whose caller is told by ``Sandboxes``."""
    background: bool
    out: str = ""
    timer: int | None = None


@dataclass(slots=True)
class Data:
    """Everything of a sandbox that is saved, the machine aside."""

    volumes: dict[str, Node]
    limits: dict[str, int]
    containers: dict[str, Entry] = field(default_factory=dict)
    commands: dict[str, Command] = field(default_factory=dict)
    roots: dict[str, str] = field(default_factory=dict)
    """Container -> image of every file system that the machine holds."""
    attached: dict[str, str] = field(default_factory=dict)
    """Session -> the container whose main process it is attached to."""
    forwards: dict[str, list[Any]] = field(default_factory=dict)
    """Socket -> [session, stream, bytes that its process has not taken] of a connection from outside (port-forward)."""
    waits: dict[str, list[Any]] = field(default_factory=dict)
    """Call that waits -> [whom of the host, with what, of what it hears, the timer of when that is asked at last]."""
    serial: int = 0
    timer: int | None = None
    timer_due: int = 0

    def fresh(self) -> int:
        """A number that nothing of this sandbox has had."""
        self.serial += 1
        return self.serial

    def state(self) -> dict[str, Any]:
        """JSON data."""
        return {
            "volumes": {name: saved(tree) for name, tree in self.volumes.items()},
            "limits": dict(self.limits),
            "containers": {n: [plain(c.setup), c.started, c.process] for n, c in self.containers.items()},
            "commands": {
                n: [c.container, c.process, c.then, c.background, c.out, c.timer]
                for n, c in self.commands.items()
            },
            "roots": dict(self.roots),
            "attached": dict(self.attached),
            "forwards": {sock: list(forward) for sock, forward in self.forwards.items()},
            "serial": self.serial,
            "timer": [self.timer, self.timer_due],
            **({"waits": dict(self.waits)} if self.waits else {}),
        }

    def load(self, state: dict[str, Any]) -> None:
        """Takes over what ``state`` gave; its volumes and limits it was made with."""
        self.containers = {n: Entry(of_plain(c[0]), c[1], c[2]) for n, c in state["containers"].items()}
        self.commands = {n: Command(*c) for n, c in state["commands"].items()}
        self.roots, self.attached = dict(state["roots"]), dict(state["attached"])
        self.forwards = {sock: list(forward) for sock, forward in state["forwards"].items()}
        self.serial = state["serial"]
        self.timer, self.timer_due = state["timer"]
        self.waits = dict(state.get("waits", {}))


def packed(registry: Registry, state: dict[str, Any], roots: dict[str, str]) -> dict[str, Any]:
    """A machine's state; the files that are an image's own are left out, and what derived files say.

    ``roots``: container -> image.
    """
    volumes = {name: _with(record, _kept) for name, record in state["files"]["volumes"].items()}
    for container, image in roots.items():
        record = state["files"]["volumes"][f"root/{container}"]
        volumes[f"root/{container}"] = {**record, "tree": pack(record["tree"], image_tree(registry, image))}
    return {"machine": state["machine"], "files": {**state["files"], "volumes": volumes}}


def unpacked(
    registry: Registry,
    saved: dict[str, Any],
    roots: dict[str, str],
    ask: Callable[[str, list[Any]], Any],
) -> dict[str, Any]:
    """The machine's state again; ``ask`` is asked what derived files say."""
    files = saved["files"]
    volumes = dict(files["volumes"])
    for container, image in roots.items():
        record = volumes[f"root/{container}"]
        volumes[f"root/{container}"] = {**record, "tree": unpack(record["tree"], image_tree(registry, image))}
    volumes = {
        name: _with(record, lambda tree: filled(restored(registry, tree), ask))
        for name, record in volumes.items()
    }
    return {"machine": saved["machine"], "files": {**files, "volumes": volumes}}


def _kept(tree: Node) -> Node:
    known = saved(tree)
    return emptied(tree) if known is tree else known


def _with(record: dict[str, Any], change: Callable[[Node], Node]) -> dict[str, Any]:
    """A volume's record with another tree; the very same where that does not change."""
    tree = change(record["tree"])
    return record if tree is record["tree"] else {**record, "tree": tree}
