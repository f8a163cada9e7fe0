"""A machine whose image has the programs of one flavour, and the files of `cases.py`."""

from __future__ import annotations

from typing import Any

from cluster_engine.linux.files import tree
from cluster_engine.linux.limits import Limits
from cluster_engine.linux.machine import Machine
from cluster_engine.linux.programs import of, program
from tests.linux.programs.cases import FILES
from tests.linux.world import Host, Result, World

NOBODY = 65534
MOMENT = 1_700_000_000_000_000


class Box(World):
    """Everything runs as nobody in /w, as the recorded lines did."""

    def __init__(
        self,
        flavour: str,
        files: dict[str, Any] | None = None,
        limits: Limits | None = None,
        names: tuple[str, ...] = (),
    ) -> None:
        contents: dict[str, Any] = {f"/bin/{name}": tree.program(name) for name in (*of(flavour), *names)}
        for name in ("null", "zero", "full", "urandom", "stdin", "stdout", "stderr", "tty"):
            contents[f"/dev/{name}"] = tree.device(name)
        contents["/etc/passwd"] = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"
        contents["/etc/group"] = "root:x:0:\nnogroup:x:65534:\n"
        contents["/etc/hosts"] = "127.0.0.1\tlocalhost\n10.244.1.7\tbox\n"
        contents["/etc/resolv.conf"] = "nameserver 10.96.0.10\n"
        contents["/tmp"] = tree.directory(mode=0o1777)
        for name, text in FILES.items():
            contents[f"/w/{name}"] = tree.file(text, uid=NOBODY, gid=NOBODY, mtime=MOMENT)
        contents.update(files or {})
        root = tree.build(contents)
        for names in (("w",), ("w", "dir"), ("w", "dir", "sub")):
            node = tree.find(root, names)
            assert node is not None
            root = tree.put(
                root, names, {**node, "u": NOBODY, "g": NOBODY, "mt": MOMENT + 63_999_000_000_000}
            )
        self.host = Host()
        self.machine = Machine("box", self.host, program, limits)
        self.machine.set_addresses(["10.244.1.7"])
        self.machine.add_root("c", root, flavour=flavour)
        self.now = MOMENT + 64_000_000_000_000

    def start(
        self,
        *argv: str,
        session: str = "s",
        env: dict[str, str] | None = None,
        uid: int = NOBODY,
        **options: Any,
    ) -> int:
        streams = {name: ["session", session] for name in ("stdin", "stdout", "stderr")}
        environment = {"PATH": "/bin", "HOME": "/tmp", **(env or {})}
        return self.machine.spawn(
            list(argv),
            root="c",
            env=environment,
            uid=uid,
            gid=uid,
            now=self.now,
            **{**streams, "cwd": "/w", **options},
        )

    def sh(self, line: str, *more: str, cwd: str = "/w", **options: Any) -> Result:
        return super().sh(line, *more, cwd=cwd, **options)


def sound(state: Any) -> None:
    """A state is JSON without floats, in byte text."""
    if isinstance(state, dict):
        for key, value in state.items():
            assert isinstance(key, str)
            sound(value)
    elif isinstance(state, list):
        for value in state:
            sound(value)
    elif isinstance(state, str):
        state.encode("latin-1")
    else:
        assert state is None or type(state) in (int, bool), state
