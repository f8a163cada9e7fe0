"""The real kubectl under confinement: what works, and everything that must not."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from cluster_engine.terminal import confine
from cluster_engine.terminal.beside import Outcome
from cluster_engine.terminal.confine import ConfinedProgram, ConfinementError, ProgramLimits, map_arguments
from cluster_engine.terminal.disk import Disk
from cluster_engine.terminal.kubectl import kubectl_path
from tests.terminal.desk import Desk, disk

pytestmark = pytest.mark.skipif(
    len(confine.confinement()) < 2, reason="this kernel has no Landlock of ABI 4 or no seccomp table"
)

KUBECONFIG = """apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "http://127.0.0.1:%d"}}]
users: [{name: u, user: %s}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
"""
TOKEN = '{token: "t"}'


class Ran:
    def __init__(self) -> None:
        self.out = bytearray()
        self.err = bytearray()
        self.outcome = Outcome(-1)

    @property
    def said(self) -> str:
        return (self.out + self.err).decode()


async def run(program: ConfinedProgram, line: str, files: Disk | None = None, **options: Any) -> Ran:
    ran = Ran()

    async def show(descriptor: int, data: bytes) -> None:
        (ran.out if descriptor == 1 else ran.err).extend(data)

    ran.outcome = await program.run(
        ["kubectl", *line.split()], files if files is not None else home(), on_output=show, **options
    )
    return ran


def home(**files: str) -> Disk:
    return disk({f"/home/learner/{name.replace('_', '.')}": text for name, text in files.items()})


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., ConfinedProgram]]:
    made: list[ConfinedProgram] = []

    def build(port: int | None = None, user: str = TOKEN, **options: Any) -> ConfinedProgram:
        text = KUBECONFIG % (port or 9, user)
        program = ConfinedProgram(kubectl_path(), api_port=port, kubeconfig=text, parent=tmp_path, **options)
        made.append(program)
        return program

    yield build
    for program in made:
        program.close()
    assert list(tmp_path.iterdir()) == []


@asynccontextmanager
async def api_server() -> Any:
    """A server that knows one resource and counts requests."""
    requests: list[str] = []
    bodies = {
        "/api": {"kind": "APIVersions", "versions": ["v1"]},
        "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
        "/api/v1": {
            "kind": "APIResourceList",
            "groupVersion": "v1",
            "resources": [
                {
                    "name": "pods",
                    "singularName": "pod",
                    "namespaced": True,
                    "kind": "Pod",
                    "verbs": ["get", "list"],
                }
            ],
        },
    }

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            path = line.decode().split()[1]
            requests.append(path)
            while (await reader.readline()).strip():
                pass
            empty = {"kind": "PodList", "apiVersion": "v1", "items": [], "metadata": {"resourceVersion": "1"}}
            body = json.dumps(bodies.get(path.partition("?")[0], empty)).encode()
            head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            writer.write(head.encode() + body)
            await writer.drain()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], requests
    finally:
        server.close()


def test_it_runs(make: Callable[..., ConfinedProgram]) -> None:
    ran = asyncio.run(run(make(), "version --client"))
    assert ran.outcome == Outcome(0)
    assert ran.out.startswith(b"Client Version: v1.")


def test_it_reaches_its_api_and_nothing_else(make: Callable[..., ConfinedProgram]) -> None:
    async def scenario() -> None:
        async with api_server() as (port, requests), api_server() as (other, others):
            program = make(port)
            assert "No resources found" in (await run(program, "get pods")).said
            assert requests
            for line in (
                f"get pods --server=http://127.0.0.1:{other}",
                f"apply -f http://127.0.0.1:{other}/x.yaml",
                f"get pods --server=http://[::1]:{other}",
            ):
                ran = await run(program, line)
                assert ran.outcome.status == 1
                assert "permission denied" in ran.said
            assert others == []

    asyncio.run(scenario())


DENIED = {
    "a file of the host": ("apply -f /etc/passwd", "permission denied"),
    "from-file": ("create configmap x --from-file=/etc/hostname --dry-run=client", "permission denied"),
    "a folder of the host": ("apply -f /etc -R", "permission denied"),
    "above the home": ("apply -f " + "../" * 30 + "etc/passwd", "permission denied"),
    "proc": ("apply -f /proc/self/environ", "permission denied"),
    "a name to resolve": ("apply -f http://drydock.invalid/x.yaml", "operation not permitted"),
    "a port to open": ("proxy --port=0", "operation not permitted"),
    "writing outside": ("config set-context x --kubeconfig=/tmp/elsewhere", "permission denied"),
    "a plugin": ("nosuchplugin", "unknown command"),
    "an editor": ("edit configmap x --output-patch", ""),
}


@pytest.mark.parametrize(("line", "message"), DENIED.values(), ids=DENIED.keys())
def test_denied(line: str, message: str, make: Callable[..., ConfinedProgram]) -> None:
    ran = asyncio.run(run(make(), line))
    assert ran.outcome.status not in (0, -1)
    assert message in ran.said


def test_credential_plugins_never_run(make: Callable[..., ConfinedProgram], tmp_path: Path) -> None:
    async def scenario() -> None:
        async with api_server() as (port, _):
            for command in ("/bin/sh", str(kubectl_path()), "sh"):
                plugin = (
                    "{exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, "
                    f'command: "{command}", args: ["-c", "touch ran"]}}}}'
                )
                program = make(port)
                files = home(evil=(KUBECONFIG % (port, plugin)).replace("http:", "https:"))
                ran = await run(program, "get pods --kubeconfig=evil", files)
                assert ran.outcome.status == 1
                assert "getting credentials: exec" in ran.said
                assert "/home/learner/ran" not in files.files()
                program.close()

    asyncio.run(scenario())


def test_files_go_in_and_come_back(make: Callable[..., ConfinedProgram]) -> None:
    async def scenario() -> None:
        program = make()
        files = disk({"/home/learner/sub/old": "x", "/srv/shared.yaml": "kind: ConfigMap\n"})
        await run(program, "config set-context made --cluster=c --kubeconfig=/home/learner/sub/new", files)
        assert b"made" in files.files()["/home/learner/sub/new"]
        assert sorted(files.files()) == ["/home/learner/sub/new", "/home/learner/sub/old", "/srv/shared.yaml"]
        files.remove("/home/learner/sub/new")
        ran = await run(program, "config view --kubeconfig=sub/new", files)
        assert b"made" not in ran.out
        ran = await run(program, "apply --dry-run=client -f /srv/shared.yaml", files, cwd="/home/learner/sub")
        assert "apiVersion not set" in ran.said
        assert "drydock-" not in ran.said

    asyncio.run(scenario())


def test_the_kubeconfig_persists(make: Callable[..., ConfinedProgram]) -> None:
    async def scenario() -> None:
        program = make()
        ran = await run(program, "config set-context --current --namespace=demo")
        assert ran.outcome.status == 0
        assert "namespace: demo" in program.kubeconfig
        assert "namespace: demo" in (await run(program, "config view --minify")).said

    asyncio.run(scenario())


def test_links_and_large_files_stay_outside(make: Callable[..., ConfinedProgram]) -> None:
    program = make(limits=ProgramLimits(file=100))
    files = home(a_yaml="x")
    asyncio.run(run(program, "version --client", files))
    root = program._real("/home/learner")
    (root / "link").symlink_to("/etc/passwd")
    (root / "links").symlink_to("/etc")
    (root / "big").write_bytes(b"x" * 101)
    (root / "small").write_bytes(b"x")
    assert program.collect(files) == ["/home/learner/big: larger than 100 bytes, not kept"]
    assert sorted(files.files()) == ["/home/learner/a.yaml", "/home/learner/small"]
    assert sorted(path.name for path in root.iterdir()) == ["a.yaml", "small"]


def test_what_the_machine_does_not_take_does_not_stay_on_the_host(
    make: Callable[..., ConfinedProgram],
) -> None:
    program = make(limits=ProgramLimits(file=100, files=50))
    files = home(a_yaml="x")
    asyncio.run(run(program, "version --client", files))
    root = program._real("/home/learner")
    (root / "a.yaml").write_bytes(b"x" * 101)
    assert program.collect(files) == ["/home/learner/a.yaml: larger than 100 bytes, not kept"]
    asyncio.run(run(program, "version --client", files))
    assert (root / "a.yaml").read_bytes() == b"x"
    for number in range(101):
        (root / f"{number}").mkdir()
    assert program.collect(files) == ["more than 50 files were left; the rest is not kept"]
    asyncio.run(run(program, "version --client", files))
    assert [path.name for path in root.iterdir()] == ["a.yaml"]


async def never() -> bytes | None:
    await asyncio.Event().wait()
    return None


def test_limits_and_ctrl_c(make: Callable[..., ConfinedProgram], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cluster_engine.terminal.child.GRACE", 60.0)  # however busy the machine is

    async def scenario() -> None:
        program = make()
        ran = await run(program, "apply -f -", stdin=never, timeout=0.5)
        assert (ran.outcome.status, ran.outcome.reason) == (137, "more than 0 seconds")
        ran = await run(program, "options", output_limit=50)
        assert (ran.outcome.status, ran.outcome.reason) == (137, "more than 50 bytes of output")
        child = program.start(["kubectl", "apply", "-f", "-"], home())

        async def ignore(descriptor: int, data: bytes) -> None:
            return None

        async def interrupt_it() -> None:
            program_of = Path(f"/proc/{child._child._process.pid}/exe")
            while program_of.resolve() != kubectl_path().resolve():  # until then it is its launcher
                await asyncio.sleep(0.02)
            child.interrupt()

        interrupting = asyncio.create_task(interrupt_it())
        outcome = await child.wait(never, ignore)
        await interrupting
        assert outcome == Outcome(130, interrupted=True)

    asyncio.run(scenario())


def test_the_host_s_paths_stay_hidden(
    make: Callable[..., ConfinedProgram], monkeypatch: pytest.MonkeyPatch
) -> None:
    program = make()
    scratch = os.fsencode(program._scratch)
    text = b"open %s/root/home/learner/a.yaml: no; %s/etc/config; %s x" % (scratch, scratch, scratch[:9])
    shown = b"open /home/learner/a.yaml: no; /etc/config; %s x" % scratch[:9]
    assert program.hide(b"ends with /") == (b"ends with /", b""), "what is typed is echoed at once"
    assert program.hide(os.fsencode(program._binary) + b": x") == (b"kubectl: x", b"")
    monkeypatch.setattr(confine, "HELD", 1)
    for cut in range(len(text)):
        seen, held = b"", b""
        for piece in (text[:cut], text[cut:]):
            clean, held = program.hide(held + piece)
            seen += clean
        assert seen + held == shown, cut


def test_what_runs_together(make: Callable[..., ConfinedProgram], monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        first, second = make(), make()
        waiting = asyncio.ensure_future(run(first, "apply -f -", stdin=never))
        for _ in range(600):  # a busy machine takes its time to start it
            if any(each.memory > 1 << 20 for each in confine._EVERYWHERE):
                break
            await asyncio.sleep(0.1)
        (child,) = confine._EVERYWHERE
        assert child.memory > 1 << 20
        monkeypatch.setattr(confine, "TOGETHER", 1)
        with pytest.raises(ConfinementError, match="too many programs run"):
            second.start(["kubectl", "options"], home())
        monkeypatch.setattr(confine, "TOGETHER", 64)
        monkeypatch.setattr(confine, "MEMORY_TOGETHER", 1 << 20)
        ran = await run(second, "options")
        assert ran.outcome.status == 0
        outcome = (await waiting).outcome
        assert (outcome.status, "most memory" in outcome.reason) == (137, True)
        assert not confine._EVERYWHERE

    asyncio.run(scenario())


def test_unread_input_comes_back(make: Callable[..., ConfinedProgram]) -> None:
    pieces = [b"one\n", b"two\n"]

    async def stdin() -> bytes | None:
        return pieces.pop(0) if pieces else await never()

    async def scenario() -> None:
        ran = await run(make(), "version --client", stdin=stdin)
        assert ran.outcome.unread == b"one\ntwo\n"
        ran = await run(make(), "version --client", stdin=_once(b"typed\rahead"), tty=True)
        assert ran.outcome.unread in (b"typed\nahead", b"typed\rahead")
        assert b"Client Version: v1" in ran.out
        assert b"\r\n" in ran.out

    asyncio.run(scenario())


def _once(data: bytes) -> Callable[[], Awaitable[bytes | None]]:
    left = [data]

    async def read() -> bytes | None:
        return left.pop() if left else await never()

    return read


def test_closing_kills_and_cleans(make: Callable[..., ConfinedProgram], tmp_path: Path) -> None:
    async def scenario() -> None:
        program = make()
        waiting = asyncio.ensure_future(run(program, "apply -f -", stdin=never))
        await asyncio.sleep(0.2)
        assert oct(program._scratch.stat().st_mode)[-3:] == "700"
        program.close()
        assert (await waiting).outcome.status == 137
        assert list(tmp_path.iterdir()) == []
        with pytest.raises(ConfinementError, match="the terminal is closed"):
            program.start(["kubectl"], home())

    asyncio.run(scenario())


def test_without_confinement_it_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(confine, "landlock_abi", lambda: 0)
    with pytest.raises(ConfinementError, match=r"kubectl cannot be confined here: landlock missing"):
        ConfinedProgram(kubectl_path(), api_port=1, kubeconfig="", parent=tmp_path)
    program = ConfinedProgram(
        kubectl_path(), api_port=1, kubeconfig="", parent=tmp_path, allow_unconfined=True
    )
    assert not program.confined
    program.close()


PROBE = """
import os, socket, ctypes
def attempt(name, action):
    try:
        action(); print(name, "allowed")
    except OSError as error:
        print(name, error.errno)
attempt("fork", os.fork)
attempt("udp", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
attempt("unix", lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
attempt("netlink", lambda: socket.socket(16, socket.SOCK_RAW))
attempt("mptcp", lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262))
attempt("pair", socket.socketpair)
attempt("tcp", lambda: socket.socket(socket.AF_INET6, socket.SOCK_STREAM))
attempt("bind", lambda: socket.socket().bind(("127.0.0.1", 0)))
import threading; threading.Thread(target=lambda: print("thread allowed")).start()
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall(425, 1, None); print("io_uring", ctypes.get_errno())
import resource; print("core", resource.getrlimit(resource.RLIMIT_CORE))
try:
    bytearray(400 << 20); print("memory allowed")
except MemoryError:
    print("memory refused")
status = open("/proc/self/status").read()
print([line for line in status.splitlines() if line.startswith(("CapBnd", "CapEff", "NoNewPrivs"))])
print(sorted(name for name in os.environ if name != "LC_CTYPE"))
"""


def test_the_launcher_takes_every_right(tmp_path: Path) -> None:
    python = os.path.realpath(sys.executable)
    command = [
        sys.executable, "-I", "-S", str(confine.LAUNCHER), "seccomp,pipes", "0", str(tmp_path), str(tmp_path),
        str(tmp_path), python, "1", "ONLY=this", python, "-I", "-c", PROBE,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.stdout.splitlines() == [
        "fork 1", "udp 1", "unix 1", "netlink 1", "mptcp 1", "pair 1", "tcp allowed", "bind 1", "thread allowed",
        "io_uring 1", "core (0, 0)", "memory refused",
        "['CapEff:\\t0000000000000000', 'CapBnd:\\t0000000000000000', 'NoNewPrivs:\\t1']", "['ONLY']",
    ], done.stderr  # fmt: skip


MAPPED = {
    "-f /h/a.yaml": "-f a.yaml",
    "-f=/h/a.yaml": "-f=a.yaml",
    "-f/h/a.yaml": "-fa.yaml",
    "--filename=/h/sub/b": "--filename=sub/b",
    "--from-file=k=/h/a.yaml": "--from-file=k=a.yaml",
    "--from-file=/h": "--from-file=.",
    "/srv/x": "../srv/x",
    "get --raw /h/a.yaml": "get --raw /h/a.yaml",
    "get --raw=/api": "get --raw=/api",
    "exec p -- cat /h/a.yaml": "exec p -- cat /h/a.yaml",
    "/etc/passwd": "/etc/passwd",
    "--output=/h/new": "--output=new",
    "https://x/h/a.yaml": "https://x/h/a.yaml",
    "pod:/h/a.yaml": "pod:/h/a.yaml",
}


@pytest.mark.parametrize(("given", "mapped"), MAPPED.items(), ids=MAPPED.keys())
def test_paths_are_mapped(given: str, mapped: str) -> None:
    files = disk({"/h/a.yaml": "", "/h/sub/b": "", "/srv/x": ""}, "/h")
    assert " ".join(map_arguments(given.split(), files, "/h")) == mapped


def test_what_is_compared_cannot_be_removed(make: Callable[..., ConfinedProgram]) -> None:
    """`kubectl diff` finds no second program, and leaves what it would have shown it."""
    program = make()
    (program._kept / "LIVE-1").mkdir()
    (program._kept / "LIVE-1" / "x").write_text("a")
    (program._kept / "MERGED-2").mkdir()
    (program._kept / "MERGED-2" / "x").symlink_to("/etc/passwd")
    files = Desk().console.disk
    assert program.kept(files) == ["/tmp/LIVE-1", "/tmp/MERGED-2"]
    assert (files.files("/tmp"), files.is_dir("/tmp/MERGED-2")) == ({"/tmp/LIVE-1/x": b"a"}, True)
    assert program.kept(files) == []
