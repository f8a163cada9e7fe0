"""The files of a node in which its containers' logs lie, as a machine of the node or a hostPath shows them.

`/var/log/pods/NAMESPACE_POD_UID/CONTAINER/ATTEMPT.log`, older ones beside it, and links in `/var/log/containers`,
made of the logs that are kept anyway, whenever somebody looks. Models pkg/kubelet/kuberuntime
(buildContainerLogsPath, legacyLogSymlink), pkg/kubelet/logs (rotation) and the CRI's line: time, stream, F or P, text.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cluster_engine.container_runtime.container import CREATED, Container
from cluster_engine.container_runtime.logs import LogLine
from cluster_engine.kubelet.core import Core
from cluster_engine.kubelet.record import PodRecord
from cluster_engine.kubelet.runtime import Runtime
from cluster_engine.linux.files import tree
from cluster_engine.linux.files.tree import Node
from cluster_engine.linux.text import octets
from cluster_engine.sim import rfc3339, rfc3339_micro

MAX_SHOWN = 8 * 1024 * 1024
"""Bytes of logs that a node shows; files that do not fit any more are left out."""


class NodeLogs:
    """Those of all nodes. What was made is remembered, and is no state."""

    def __init__(self, core: Core, runtime: Runtime) -> None:
        self._core = core
        self._runtime = runtime
        self._made: dict[str, tuple[list[Any], dict[str, Node]]] = {}
        """Node -> what its folders were made from, and the folders."""
        self._texts: dict[str, dict[str, tuple[Any, dict[str, Node]]]] = {}
        """Node -> container -> what its files were made from, and the files."""

    def show(self, asked: list[str]) -> Node | None:
        """A directory of logs: [node, "pods" or "containers", names below …]; None when there is none."""
        host, folder, *below = asked
        found = tree.find(self._folders(host)[folder], below)
        return found if found is not None and "e" in found else None

    def _folders(self, host: str) -> dict[str, Node]:
        containers = list(self._containers(host))
        stamps = [stamp for *_, stamp in containers]
        known = self._made.get(host)
        if known is not None and known[0] == stamps:
            return known[1]
        before, texts = self._texts.get(host, {}), {}
        contents: dict[str, dict[str, str | Node]] = {"pods": {}, "containers": {}}
        room, newest = MAX_SHOWN, 0
        for record, container, stamp in containers:
            old = before.get(container.id)
            files = old[1] if old is not None and old[0] == stamp else self._files(record, container)
            texts[container.id] = (stamp, files)
            namespace, _, pod = record.key.partition("/")
            folder = f"/{namespace}_{pod}_{record.uid}/{container.name}"
            for name, node in files.items():
                if node["n"] <= room:
                    contents["pods"][f"{folder}/{name}"] = node
                    room -= node["n"]
                    newest = max(newest, node["mt"])
            current = f"{folder}/{container.attempt}.log"
            if current in contents["pods"]:
                link = f"/{pod}_{namespace}_{container.name}-{container.id}.log"
                contents["containers"][link] = tree.link(
                    f"/var/log/pods{current}", mtime=container.started_at
                )
        made = {name: tree.build(nodes, mtime=newest) for name, nodes in contents.items()}
        self._texts[host], self._made[host] = texts, (stamps, made)
        return made

    def _containers(self, host: str) -> Iterator[tuple[PodRecord, Container, list[Any]]]:
        """Whose logs lie there, in the order of their Pods' arrival; with each a stamp that what it writes changes."""
        for record in self._core.records.all():
            if record.node != host:
                continue
            for container in (*record.containers.values(), *record.previous.values()):
                if container.state != CREATED:
                    log = self._runtime.log_of(record, container)
                    yield record, container, [container.id, *log.stamp(), self._said(record, container)[-1:]]

    def _said(self, record: PodRecord, container: Container) -> list[LogLine]:
        """What a component of the control plane has said since the container began."""
        if not record.static:
            return []
        said = self._core.clock.logs.of(container.name)
        return [(at, "stderr", f"{text}\n") for at, text in said if at >= container.started_at]

    def _files(self, record: PodRecord, container: Container) -> dict[str, Node]:
        """The current file and the rotated ones, which are named by the second of their last line: a kubelet does not
        rotate more often.
        """
        *rotated, current = self._runtime.log_of(record, container).files()
        said = self._said(record, container)
        current = sorted([*current, *said], key=lambda line: line[0]) if said else current
        name = f"{container.attempt}.log"
        older: dict[str, list[LogLine]] = {}
        for lines in rotated:
            older.setdefault(f"{name}.{_suffix(lines[-1][0])}", []).extend(lines)
        files = {rotated_name: _file(lines, 0) for rotated_name, lines in older.items()}
        return {name: _file(current, container.started_at), **files}


def _file(lines: list[LogLine], began: int) -> Node:
    text = octets("".join(map(cri_line, lines)))
    return tree.file(text, mode=0o640, mtime=lines[-1][0] if lines else began)


def cri_line(line: LogLine) -> str:
    """A line as containerd writes it."""
    at, stream, text = line
    seconds, _, fraction = rfc3339_micro(at)[:-1].partition(".")
    fraction = fraction.rstrip("0")
    time = f"{seconds}.{fraction}Z" if fraction else f"{seconds}Z"
    return f"{time} {stream} F {text}" if text.endswith("\n") else f"{time} {stream} P {text}\n"


def _suffix(at: int) -> str:
    return rfc3339(at)[:19].replace("-", "").replace(":", "").replace("T", "-")
