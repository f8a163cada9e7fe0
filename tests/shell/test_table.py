"""The command table is complete, and the shell reaches nothing of the host."""

from __future__ import annotations

import ast
import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

import cluster_engine.shell as package
from cluster_engine.shell import Shell, Vfs, run_line
from cluster_engine.shell.commands import _TABLE, COMMANDS
from cluster_engine.shell.context import Command

ROOT = Path(package.__file__).parent
ADAPTERS = {"child", "confine", "launcher", "session", "kubectl"}
FORBIDDEN = {
    "asyncio", "time", "random", "uuid", "secrets", "threading", "subprocess", "socket", "os", "pathlib", "shutil",
    "tempfile", "sys",
}  # fmt: skip


def test_every_command_is_listed_once() -> None:
    found: list[Command] = []
    for path in sorted((ROOT / "commands").glob("*.py")):
        if path.stem != "__init__":
            module = importlib.import_module(f"cluster_engine.shell.commands.{path.stem}")
            mine = [value for value in vars(module).values() if isinstance(value, Command)]
            assert mine, f"{path.name} defines no command"
            found += mine
    assert sorted(command.name for command in _TABLE) == sorted(command.name for command in found)
    assert len(COMMANDS) == len(_TABLE)
    assert all(command.summary for command in _TABLE)


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports(path: Path) -> None:
    tree = ast.parse(path.read_text())
    plain = [node for node in ast.walk(tree) if isinstance(node, ast.Import)]
    names = {alias.name.split(".")[0] for node in plain for alias in node.names}
    froms = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    modules = [node.module for node in froms if node.module and node.level == 0]
    names |= {module.split(".")[0] for module in modules if not module.startswith("cluster_engine.linux.")}
    assert "cluster_engine" not in names
    if path.stem not in ADAPTERS:
        assert names & FORBIDDEN == set()
    # Nothing of the shell pulls the adapters in: they are for the engine host.
    if path.stem not in ADAPTERS:
        assert not any((node.module or "") in ADAPTERS for node in froms)


seen: list[tuple[str, Any]] = []
watching = False


def _audit(event: str, arguments: Any) -> None:
    if watching and event.split(".")[0] in (
        "open",
        "os",
        "subprocess",
        "socket",
        "shutil",
        "tempfile",
        "ctypes",
    ):
        seen.append((event, arguments))


LINES = [
    "cat /etc/passwd; ls /; cd /; pwd; find / | head; echo hi > /tmp/x; cat /tmp/x; rm -rf /etc",
    "sh -c 'ls ~'; . /etc/profile; exec /bin/sh; /bin/bash; kubectl; vim x; which python3; env; date",
    "cat /proc/self/environ /dev/sda ../../../etc/shadow; cp /etc/passwd x; mkdir -p /a/b; mv /a /b; chmod +x /b; /b",
    "sed s/a/b/w/tmp/x f; sed 'e ls' f; grep -r root /; sort -o /tmp/y f; tee /tmp/z < f",
    "xargs ls < f; watch ls; sleep 9; sh nosuch; ./nosuch; command -p ls; type ls; history; alias x=/bin/sh; x",
    "cat < /dev/tcp/127.0.0.1/80; echo $(< /etc/passwd); cat <<EOF\n$(cat /etc/passwd)\nEOF",
]


def test_no_line_touches_the_host() -> None:
    global watching
    shell = Shell(Vfs({"/h/f": "a\nb\n"}), {"HOME": "/h"}, cwd="/h")
    run_line(shell, "sed p f | grep a | sort; date; base64 f; seq 2; printf x")
    sys.addaudithook(_audit)
    for line in LINES:
        watching = True
        try:
            run_line(shell, line)
        finally:
            watching = False
    assert seen == []
