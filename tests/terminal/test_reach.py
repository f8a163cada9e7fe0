"""The terminal reaches nothing of its host but through its adapters, and its tables are whole."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import cluster_engine.linux
import cluster_engine.terminal as package
from cluster_engine.linux.sh.builtins.naming import NAMES
from cluster_engine.terminal.programs import OWN, PROGRAMS
from tests.audited import host_touched
from tests.terminal.desk import Desk

ROOTS = (Path(package.__file__).parent, Path(str(cluster_engine.linux.__file__)).parent)
ADAPTERS = {"child", "completing", "confine", "launcher", "outward", "session", "session_hooks", "kubectl"}
FORBIDDEN = {
    "asyncio", "time", "random", "uuid", "secrets", "threading", "subprocess", "socket", "os", "pathlib", "shutil",
    "tempfile", "sys",
}  # fmt: skip
FILES = [path for root in ROOTS for path in sorted(root.rglob("*.py"))]


@pytest.mark.parametrize("path", FILES, ids=lambda path: "/".join(path.parts[-2:]))
def test_imports(path: Path) -> None:
    tree = ast.parse(path.read_text())
    plain = [node for node in ast.walk(tree) if isinstance(node, ast.Import)]
    names = {alias.name.split(".")[0] for node in plain for alias in node.names}
    modules = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    names |= {module.split(".")[0] for module in modules}
    adapter = path.parent == ROOTS[0] and path.stem in ADAPTERS
    assert adapter or names & FORBIDDEN == set()
    # Nothing of the machine pulls the adapters in: they are for the engine host.
    mine = {module.rpartition(".")[2] for module in modules if module.startswith("cluster_engine.terminal.")}
    assert adapter or mine & (ADAPTERS - {"kubectl"}) == set()


def test_every_program_has_a_summary_and_one_name() -> None:
    assert len({each.name for each in OWN}) == len(OWN)
    assert all(each.summary or each.shell or name in NAMES for name, each in PROGRAMS.items())


LINES = [
    "cat /etc/passwd; ls /; cd /; pwd; find / | head; echo hi > /tmp/x; cat /tmp/x; rm -rf /etc",
    "sh -c 'ls ~'; . /etc/profile; /bin/bash -c ls; kubectl; vim x; which python3; env; date; cd",
    "cat /proc/self/environ /dev/sda ../../../etc/shadow; cp /etc/passwd x; mkdir -p /a/b; mv /a /b; chmod +x /b; /b",
    "sed s/a/b/w/tmp/x f; sed 'e ls' f; grep -r root / | head; sort -o /tmp/y f; tee /tmp/z < f; awk 1 f",
    "xargs ls < f; timeout 3 watch ls; sleep 9; sh nosuch; ./nosuch; command -p ls; type ls; history; alias x=/bin/sh",
    "cat < /dev/tcp/127.0.0.1/80; echo $(cat /etc/passwd); wget -T 1 http://127.0.0.1/; curl 10.0.0.1; nslookup a",
]


def test_no_line_touches_the_host() -> None:
    desk = Desk({"/h/f": "a\nb\n"}, program=lambda args, data: (0, b"", b""))
    desk.line(
        "sed p f | grep a | sort; date; base64 f; seq 2; printf x; vim x; awk 1 f; curl x; nslookup a", 20
    )
    for line in LINES:
        with host_touched() as touched:
            desk.line(line, 60)
        assert touched == [], line
