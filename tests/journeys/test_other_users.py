"""Another user of the same machine (`nobody`): reads no secret, and reaches neither Redis nor a host's port."""

import json
import os
import pwd
import re
import socket
import stat
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from .clients import Visitor, host_address, processes_of

pytestmark = [
    pytest.mark.stack,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user"),
]


@contextmanager
def way_open(folder):
    """All folders above may be passed: what is guarded must be guarded by what `make up` itself does."""
    closed = [path for path in folder.parents if not path.stat().st_mode & stat.S_IXOTH]
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in closed}
    for path, mode in modes.items():
        path.chmod(mode | stat.S_IXOTH)
    try:
        yield
    finally:
        for path, mode in modes.items():
            path.chmod(mode)


def as_nobody(work):
    """What `work` returns (JSON), done by a child that is nobody."""
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid == 0:
        answer = '"failed"'
        try:
            person = pwd.getpwnam("nobody")
            os.setgroups([])
            os.setgid(person.pw_gid)
            os.setuid(person.pw_uid)
            answer = json.dumps(work())
        finally:  # whatever happened: this process must not go on as a second pytest
            os.write(theirs, answer.encode())
            os._exit(0)
    os.close(theirs)
    with os.fdopen(ours, "rb") as pipe:
        text = pipe.read()
    os.waitpid(pid, 0)
    return json.loads(text)


def readable(paths):
    found = []
    for path in paths:
        with suppress(OSError):
            with path.open("rb") as file:
                file.read(1)
            found.append(str(path))
    return found


def is_open_to_others(path, top):
    """Neither the file nor a folder between `top` and it says no (a learner's kubectl writes files of any mode)."""
    between = [path, *path.parents]
    with suppress(FileNotFoundError):
        return all(part.stat().st_mode & 0o077 for part in between[: between.index(top)])
    return False


def test_no_secret_can_be_read(stack):
    files = [path for path in stack.var.rglob("*") if path.is_file()]
    names = {path.name for path in files}
    assert {"drydock.env", "drydock.sqlite3", "redis.conf", "web.log"} <= names
    processes = [Path(f"/proc/{pid}") for pid in processes_of(stack)]
    assert len(processes) >= 4
    private = [Path(path) for path in readable([*files, *(path / "environ" for path in processes)])]
    assert len([path for path in private if path.name == "environ"]) >= 4
    with way_open(stack.var):
        assert as_nobody(lambda: readable(private)) == []
        assert as_nobody(lambda: os.access(stack.var, os.R_OK | os.X_OK)) is False
    loose = {path.relative_to(stack.var) for path in files if is_open_to_others(path, stack.var)}
    assert {path for path in loose if path.parts[0] != "static"} == {Path("up.txt")}  # the journeys' own


def test_no_command_line_tells_one(stack):
    words = re.findall(r"requirepass (\S+)|=(\S+)", (stack.var / "redis" / "redis.conf").read_text())
    words += re.findall(r"()=(\S{20,})", (stack.var / "drydock.env").read_text())
    secrets = {word for pair in words for word in pair if word}
    assert len(secrets) == 3
    lines = as_nobody(command_lines)
    assert len(lines) > 4
    assert not [line for line in lines if any(secret in line for secret in secrets)]


def command_lines():
    """Of all processes of the machine; those that end meanwhile are left out."""
    lines = []
    for entry in os.listdir("/proc"):
        with suppress(OSError):
            lines.append(Path("/proc", entry, "cmdline").read_text(errors="replace"))
    return lines


def test_redis_cannot_be_reached(stack):
    path = str(stack.var / "redis" / "redis.sock")

    def attempt():
        with socket.socket(socket.AF_UNIX) as probe:
            return os.strerror(probe.connect_ex(path))

    assert attempt() == os.strerror(0)
    with way_open(stack.var):
        assert as_nobody(attempt) == "Permission denied"
    with socket.socket(socket.AF_UNIX) as probe:
        probe.connect(path)
        probe.sendall(b"INFO\r\n")
        assert probe.recv(100).startswith(b"-NOAUTH"), "nor by one who can, without the word"
        word = re.search(r"requirepass (\S+)", (stack.var / "redis" / "redis.conf").read_text())[1]
        for line in (f"AUTH {word}", "FLUSHALL", "CONFIG GET dir", "KEYS *", "DEBUG SLEEP 0", "SHUTDOWN"):
            probe.sendall(f"{line}\r\n".encode())
            answer = probe.recv(200)
            assert answer.startswith(b"+OK" if "AUTH" in line else b"-ERR unknown command"), line


def test_a_hosts_port_has_no_effect(stack):
    run = Visitor(stack).start("explore-the-components")
    base = host_address(stack)

    def attempt():
        with httpx.Client(base_url=base, trust_env=False) as client:
            return [
                client.request(method, path).status_code
                for method, path in (
                    ("GET", f"/clusters/{run.id}/version"), ("POST", f"/stop/{run.id}"), ("GET", f"/files/{run.id}")
                )
            ]  # fmt: skip

    assert as_nobody(attempt) == [401, 401, 401]
    assert run.kube("GET", "/version").status_code == 200
