"""The audit log's files on the machine of the control plane, where the API server's Pod has mounted them.

Models gopkg.in/natefinch/lumberjack.v2, to which kube-apiserver writes (--audit-log-path and its flags).
"""

from __future__ import annotations

from collections.abc import Sequence

from cluster_engine.addons.static_pods import AUDIT_BACKUPS, AUDIT_FILE, AUDIT_FOLDER, AUDIT_SIZE
from cluster_engine.kubelet.core import Core
from cluster_engine.kubelet.runtime import Runtime
from cluster_engine.linux.files import tree
from cluster_engine.linux.text import octets
from cluster_engine.sim import rfc3339_micro

MAX_SIZE = AUDIT_SIZE * 1024 * 1024
"""Bytes of a file (--audit-log-maxsize); one line that is longer is lost."""


class AuditFiles:
    """Where the API server's audit log goes."""

    def __init__(self, core: Core, runtime: Runtime) -> None:
        self._core = core
        self._runtime = runtime
        if core.ctx.server.audit is not None:
            core.ctx.server.audit.sink = self.write

    def write(self, lines: Sequence[str]) -> None:
        """Lines more at the end of the log."""
        node = next((node for node in self._core.nodes.values() if node.control_plane), None)
        if node is None:
            return  # a cluster without a control plane of its own has no machine for it
        now = self._core.clock.now
        folder = self._runtime.disk_of_node(node.name, AUDIT_FOLDER) or tree.directory(mode=0o755, mtime=now)
        for line in lines:
            folder = appended(folder, octets(line), now)
        self._runtime.change_disk_of_node(node.name, AUDIT_FOLDER, folder)


def appended(folder: tree.Node, line: str, now: int) -> tree.Node:
    """The folder with a line (byte text) more in its log; a full log is put away, and the oldest goes."""
    if len(line) > MAX_SIZE:
        return folder
    file = folder["e"].get(AUDIT_FILE)
    if file is None or file["t"] != "f":
        file = tree.file(mode=0o600, mtime=now)
    elif file["n"] + len(line) > MAX_SIZE:
        folder = _rotated(folder, file, now)
        file = tree.file(mode=0o600, mtime=now)
    return tree.put(folder, [AUDIT_FILE], tree.written(file, file["n"], line, now), now)


def _rotated(folder: tree.Node, file: tree.Node, now: int) -> tree.Node:
    stem, dot, ending = AUDIT_FILE.rpartition(".")
    stamp = rfc3339_micro(now)[:-4].replace(":", "-")
    folder = tree.put(folder, [f"{stem}-{stamp}{dot}{ending}"], file, now)
    put_away = sorted(
        name for name in folder["e"] if name.startswith(f"{stem}-") and name.endswith(f"{dot}{ending}")
    )
    for name in put_away[:-AUDIT_BACKUPS]:
        folder = tree.taken(folder, [name], now)
    return folder
