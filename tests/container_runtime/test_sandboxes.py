"""Containers as processes of a machine: virtual time, signals, shared volumes, commands, names, saving."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cluster_engine.container_runtime.errors import StartError
from cluster_engine.container_runtime.image import PATH
from cluster_engine.container_runtime.logs import LIMIT, Log
from cluster_engine.container_runtime.registry import find
from cluster_engine.container_runtime.sandboxes import Sandboxes
from cluster_engine.container_runtime.setup import Setup
from cluster_engine.linux.files import tree
from cluster_engine.network import Network, Packet, Rule
from cluster_engine.sim import SECOND, Chance, Clock

BUSYBOX = "docker.io/library/busybox:1.36"
START = 1_767_225_600 * SECOND
HOSTS = "127.0.0.1\tlocalhost\n10.244.1.2\tweb\n"
RESOLV = "search default.svc.cluster.local svc.cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n"


class Services:
    def rule(self, packet: Packet) -> Rule | None:
        asked = (packet.destination, packet.port)
        return Rule("kube-dns", (("10.244.1.9", 53),)) if asked == ("10.96.0.10", 53) else None

    def owns(self, ip: str) -> bool:
        return ip.startswith("10.96.")


class World:
    """One Pod ``web`` on a node, and what the kubelet would be told of it."""

    def __init__(self) -> None:
        self.clock = Clock(START)
        self.told: list[list[Any]] = []
        self.logs: dict[str, Log] = {}
        self.written: dict[str, str] = {}
        self.clock.register("answered", self._answered)
        chance = Chance(1)
        self.network = Network(self.clock, Services(), chance)
        self.sandboxes = Sandboxes(
            self.clock, chance, self.network, self, {"dns": lambda question: NAMES.get(question[1])}
        )

    def add(self, key: str = "web", ip: str = "10.244.1.2") -> None:
        volumes = {
            "data": tree.directory(mode=0o777),
            "hosts": tree.file(HOSTS),
            "resolv": tree.file(RESOLV),
        }
        self.sandboxes.add(key, hostname=key, ip=ip, node="n1", volumes=volumes, limits={})

    def start(self, container: str, *argv: str, key: str = "web", image: str = BUSYBOX, **more: Any) -> None:
        found, _ = find(image)
        mounts = (("data", "/data", "", False), ("hosts", "/etc/hosts", "", True))
        mounts = (*mounts, ("resolv", "/etc/resolv.conf", "", True))
        words = list(argv) or [*found.entrypoint, *found.cmd]
        setup = Setup(image, words, more.pop("env", {}), found.workdir, found.uid, mounts=mounts, **more)
        self.logs[container] = Log()
        self.sandboxes.get(key).start(container, setup)

    def run(self, seconds: float = 0) -> None:
        self.clock.run_until(self.clock.now + round(seconds * SECOND))

    def lines(self, container: str) -> list[tuple[float, str]]:
        lines = self.logs[container].lines()
        return [((at - START) / SECOND, text.removesuffix("\n")) for at, _, text in lines]

    # Told

    def exited(self, key: str, container: str, status: int) -> None:
        self.logs[container].close(self.clock.now)
        self.told.append(["exited", (self.clock.now - START) / SECOND, container, status])

    def log(self, key: str, container: str, at: int, stream: str, text: str) -> None:
        self.logs[container].write(at, stream, text)

    def awaits(self, key: str, due: int) -> bool:
        return False

    def output(self, session: str, fd: int, text: str) -> None:
        self.written[f"{session}/{fd}"] = self.written.get(f"{session}/{fd}", "") + text

    def session_ended(self, session: str, status: int) -> None:
        self.told.append(["ended", (self.clock.now - START) / SECOND, session, status])

    def _answered(self, answer: list[Any]) -> None:
        self.told.append([(self.clock.now - START) / SECOND, *answer])


NAMES = {
    "api.default.svc.cluster.local": [["api.default.svc.cluster.local", "A", "10.96.0.7"]],
    "example.org": [["example.org", "A", "192.0.2.1"]],
}


@pytest.fixture
def world() -> World:
    world = World()
    world.add()
    return world


RUNS: dict[str, tuple[str, list[tuple[float, str]], list[Any] | None]] = {
    "ends": ("echo hi; exit 3", [(0.0, "hi")], [0.0, 3]),
    "sleeps": ("echo a; sleep 2; echo b", [(0.0, "a"), (2.0, "b")], [2.0, 0]),
    "fails": ("cat /none", [(0.0, "cat: can't open '/none': No such file or directory")], [0.0, 1]),
    "loops": ("for i in 1 2; do echo $i; sleep 1; done", [(0.0, "1"), (1.0, "2")], [2.0, 0]),
    "tells the time": ("sleep 1; date -u +%H:%M:%S", [(1.0, "00:00:01")], [1.0, 0]),
    "never ends": ("while true; do echo x; sleep 4; done", [(0.0, "x"), (4.0, "x"), (8.0, "x")], None),
    "in the background": ("sleep 2 & echo a; wait; echo b", [(0.0, "a"), (2.0, "b")], [2.0, 0]),
    "a last line without an end": ("printf hi", [(0.0, "hi")], [0.0, 0]),
    "its names": (
        "hostname; echo $HOSTNAME $HOME $PATH",
        [(0.0, "web"), (0.0, f"web /root {PATH}")],
        [0.0, 0],
    ),
}


@pytest.mark.parametrize(("text", "lines", "ended"), RUNS.values(), ids=RUNS.keys())
def test_run(
    world: World, text: str, lines: list[tuple[float, str]], ended: tuple[float, int] | None
) -> None:
    world.start("c", "sh", "-c", text)
    world.run(10)
    assert world.lines("c") == lines
    assert world.told == ([["exited", ended[0], "c", ended[1]]] if ended else [])


NO_START = "OCI runtime create failed: runc create failed: unable to start container process: error during "
ERRORS = {
    "nowhere": (("foo",), 'exec: "foo": executable file not found in $PATH: unknown'),
    "no such file": (("/x/foo",), 'exec: "/x/foo": stat /x/foo: no such file or directory: unknown'),
    "no program": (("/etc/passwd",), 'exec: "/etc/passwd": permission denied: unknown'),
    "a builtin": (("export", "x"), 'exec: "export": executable file not found in $PATH: unknown'),
}


@pytest.mark.parametrize(("argv", "message"), ERRORS.values(), ids=ERRORS.keys())
def test_what_cannot_be_started(world: World, argv: tuple[str, ...], message: str) -> None:
    with pytest.raises(StartError) as caught:
        world.start("c", *argv)
    assert str(caught.value) == (
        f"failed to create containerd task: failed to create shim task: {NO_START}container init: {message}"
    )
    world.start("d", "echo", "still here")
    world.run()
    assert world.lines("d") == [(0.0, "still here")]


def test_a_busy_loop_harms_nobody(world: World) -> None:
    world.start("spinner", "sh", "-c", "while true; do :; done")
    world.start("good", "sh", "-c", "for i in 1 2 3; do echo $i; sleep 1; done")
    world.run(3_600)
    assert [text for _, text in world.lines("good")] == ["1", "2", "3"]
    assert ["exited", 3.0, "good", 0] in world.told
    assert world.clock.events_run < 5_000


def test_logs_are_bounded(world: World) -> None:
    world.start("c", "sh", "-c", "yes 0123456789 | head -n 30000; echo last")
    world.run(120)
    lines = world.lines("c")
    assert lines[-1][1] == "last"
    assert LIMIT * 0.9 < sum(len(text) + 1 for _, text in lines) <= LIMIT + 8_192


def test_containers_share_a_volume(world: World) -> None:
    world.start("writer", "sh", "-c", "while true; do date -u +%S >> /data/log; sleep 2; done")
    world.run(1)
    world.start("reader", "sh", "-c", "touch /data/log; tail -f /data/log")
    world.run(6.5)
    assert [text for _, text in world.lines("reader")] == ["00", "02", "04", "06"]


STOPS: dict[str, tuple[str, str, list[Any]]] = {
    "trapped": ("trap 'echo bye; exit 5' TERM; while true; do sleep 2; done", "TERM", [4.0, 5]),
    "ignored by the first process": ("while true; do sleep 2; done", "TERM", []),
    "killed": ("while true; do sleep 2; done", "KILL", [3.0, 137]),
}


@pytest.mark.parametrize(("text", "signal", "ended"), STOPS.values(), ids=STOPS.keys())
def test_signals(world: World, text: str, signal: str, ended: list[Any]) -> None:
    world.start("c", "sh", "-c", text)
    world.run(3)
    world.sandboxes.get("web").signal("c", signal)
    world.run(20)
    assert world.told == ([["exited", ended[0], "c", ended[1]]] if ended else [])


def test_a_container_takes_its_processes_with_it_and_begins_anew(world: World) -> None:
    world.start("c", "sh", "-c", "echo x > /tmp/mine; sleep 1000 & exit 1")
    world.run(1)
    assert world.told == [["exited", 0.0, "c", 1]]
    sandbox = world.sandboxes.get("web")
    world.start("again", "sh", "-c", "ls /tmp; ps | grep -c '[s]leep 1000'")
    sandbox.remove("c", "none")
    world.run(1)
    assert world.lines("again") == [(1.0, "0")]


COMMANDS: dict[str, tuple[list[str], int, list[Any]]] = {
    "ends": (["sh", "-c", "echo out; echo err >&2; exit 4"], 10, [0.0, "exited", 4, "out\nerr\n"]),
    "takes time": (["sleep", "3"], 10, [3.0, "exited", 0, ""]),
    "takes too long": (["sh", "-c", "echo a; sleep 30"], 10, [10.0, "timeout"]),
    "sees the others": (["sh", "-c", "cat /data/x"], 10, [0.0, "exited", 0, "shared\n"]),
    "says much": (["sh", "-c", "yes | head -n 100000"], 10, [0.0, "exited", 0, "y\n" * 8_192]),
}


@pytest.mark.parametrize(("argv", "timeout", "answer"), COMMANDS.values(), ids=COMMANDS.keys())
def test_commands(world: World, argv: list[str], timeout: int, answer: list[Any]) -> None:
    world.start("c", "sh", "-c", "echo shared > /data/x; sleep 1000")
    world.run()
    sandbox = world.sandboxes.get("web")
    sandbox.commands.exec_sync("c", argv, timeout * SECOND, ["answered"], False)
    world.run(60)
    assert world.told == [answer]


def test_a_session_is_one_shell(world: World) -> None:
    world.start("c", "sleep", "1000")
    sandbox = world.sandboxes.get("web")
    sandbox.commands.open("s1", "c", ["sh"], stdin=True, tty=False)
    for line in ("x=5; cd /tmp\n", "echo $x $PWD\n", "exit $x\n"):
        sandbox.commands.input("s1", line)
        world.run(1)
    assert (world.written, world.told) == ({"s1/1": "5 /tmp\n"}, [["ended", 2.0, "s1", 5]])


def test_a_terminal(world: World) -> None:
    world.start("c", "sleep", "1000")
    sandbox = world.sandboxes.get("web")
    sandbox.commands.open("s1", "c", ["sh"], stdin=True, tty=True)
    world.run()
    assert world.written == {"s1/1": "/ # "}
    sandbox.commands.input("s1", "trap 'echo resized' WINCH\r")
    world.run()
    sandbox.commands.resize("s1", 132, 43)
    world.run(1)
    sandbox.commands.input("s1", "\r")
    world.run()
    assert "resized\r\n" in world.written["s1/1"]
    sandbox.commands.input("s1", "sleep 100\r")
    world.run(1)
    sandbox.commands.input("s1", "\x03")
    world.run()
    sandbox.commands.input("s1", "exit\r")
    world.run()
    assert world.told == [["ended", 2.0, "s1", 130]]


def test_attached_to_a_shell(world: World) -> None:
    world.start("c", "sh", stdin=True, stdin_once=True, tty=True)
    world.run(1)
    sandbox = world.sandboxes.get("web")
    sandbox.commands.attach("s1", "c")
    sandbox.commands.input("s1", "echo hi\r")
    world.run()
    assert world.written == {"s1/1": "echo hi\r\nhi\r\n/ # "}
    sandbox.commands.hang_up("s1")
    world.run(1)
    sandbox.commands.attach("s2", "c")
    sandbox.commands.input("s2", "exit 3\r")
    world.run()
    assert world.written["s2/1"] == "exit 3\r\n"
    assert world.told == [["ended", 2.0, "s2", 3], ["exited", 2.0, "c", 3]]


def test_standard_input_ends_with_the_first_who_attached(world: World) -> None:
    world.start("c", "sh", "-c", "cat; echo end", stdin=True, stdin_once=True)
    sandbox = world.sandboxes.get("web")
    sandbox.commands.attach("s1", "c")
    sandbox.commands.input("s1", "typed\n")
    world.run(1)
    assert (world.written, world.told) == ({"s1/1": "typed\n"}, [])
    sandbox.commands.hang_up("s1")
    world.run()
    assert [text for _, text in world.lines("c")] == ["typed", "end"]
    assert world.told == [["exited", 1.0, "c", 0]]


def test_standard_input_waits_for_the_next_who_attaches(world: World) -> None:
    """Without stdinOnce the process never hears an end (as ``echo hi | kubectl attach -i`` must not end it)."""
    world.start("c", "sh", "-c", "cat; echo end", stdin=True)
    sandbox = world.sandboxes.get("web")
    for session in ("s1", "s2"):
        sandbox.commands.attach(session, "c")
        sandbox.commands.input(session, f"{session}\n")
        sandbox.commands.end_input(session)
        world.run(1)
        sandbox.commands.hang_up(session)
    world.run(1)
    assert [text for _, text in world.lines("c")] == ["s1", "s2"]
    assert world.told == []


def test_whoever_only_waits_runs_when_it_is_asked(world: World) -> None:
    world.start("idle", image="registry.k8s.io/kube-proxy:" + _version())
    world.run(5)
    sandbox = world.sandboxes.get("web")
    assert sandbox.waiting("idle")
    before = json.dumps(world.sandboxes.state())
    imagined, _ = world.sandboxes.imagine("web", "idle")
    assert [round((at - START) / SECOND, 1) for at, _, _ in imagined] == [0.0, 0.3]
    assert json.dumps(world.sandboxes.state()) == before
    sandbox.signal("idle", "TERM")
    world.run(5)
    assert [at for at, _ in world.lines("idle")] == [0.0, 0.3, 0.3]
    assert world.told == [["exited", 5.3, "idle", 0]]


def _version() -> str:
    from cluster_engine.version import KUBERNETES_VERSION

    return f"v{KUBERNETES_VERSION}"


def test_names(world: World) -> None:
    world.add("dns", "10.244.1.9")
    corefile = tree.file(".:53 {\n  kubernetes cluster.local example.org\n  forward . /etc/resolv.conf\n}\n")
    world.sandboxes.get("dns").set_volume("data", tree.directory({"Corefile": corefile}))
    image = "registry.k8s.io/coredns/coredns:v1.14.6"
    world.start("server", "/coredns", "-conf", "/data/Corefile", image=image, key="dns")
    world.start(
        "c",
        "sh",
        "-c",
        "sleep 1; for n in api web example.org nobody; do nslookup -type=a $n | tail -n 3; done",
    )
    world.run(10)
    text = "\n".join(text for _, text in world.lines("c"))
    assert "Address: 10.96.0.7" in text
    assert "Address: 192.0.2.1" in text
    assert "** server can't find nobody" in text


def test_names_without_a_server(world: World) -> None:
    world.start("c", "wget", "-q", "http://api/")
    world.run(60)
    assert world.lines("c") == [(10.0, "wget: bad address 'api'")]
    assert world.told == [["exited", 10.0, "c", 1]]


@pytest.mark.parametrize("cut", [0.5, 3, 9.7])
def test_saved_and_read_back_it_is_the_same(cut: float) -> None:
    """Loops, a conversation with a server, a command under way: as JSON and on, equal to the straight run."""

    def life(cut: float | None) -> tuple[Any, ...]:
        world = World()
        world.add()
        world.add("server", "10.244.1.3")
        world.start("nginx", image="docker.io/library/nginx:1.25", key="server")
        world.start(
            "w", "sh", "-c", "i=0; while true; do i=$((i+1)); echo $i | tee -a /data/log; sleep 3; done"
        )
        world.start("g", "sh", "-c", "while sleep 1; do wget -qO- http://10.244.1.3/ | wc -c; done")
        world.run(0.1)
        world.sandboxes.get("web").commands.exec_sync("w", ["sleep", "20"], 0, ["answered"], True)
        if cut is not None:
            world.run(cut)
            saved = json.loads(
                json.dumps([world.sandboxes.state(), world.network.state(), world.clock.state()])
            )
            other = World()
            other.network.load(saved[1])
            other.sandboxes.load(saved[0])
            other.clock.load(saved[2])
            other.logs, other.told = world.logs, world.told
            world = other
        world.clock.run_until(START + 40 * SECOND)
        state = json.dumps([world.sandboxes.state(), world.network.state()], sort_keys=True)
        return world.told, {name: log.lines() for name, log in world.logs.items()}, state

    assert life(cut) == life(None)


SERVERS: dict[str, tuple[str, dict[str, str], list[Any] | None]] = {
    "postgres without a password": ("docker.io/library/postgres:17", {}, [0.0, 1]),
    "postgres with a password": ("docker.io/library/postgres:17", {"POSTGRES_PASSWORD": "x"}, None),
    "mysql without a password": ("docker.io/library/mysql:8.0", {}, [0.0, 1]),
    "mysql with a password": ("docker.io/library/mysql:8.0", {"MYSQL_ROOT_PASSWORD": "x"}, None),
    "redis": ("docker.io/library/redis:7", {}, None),
    "nginx": ("docker.io/library/nginx:1.25", {}, None),
    "httpd": ("docker.io/library/httpd:2.4", {}, None),
    "hello-app": ("gcr.io/google-samples/hello-app:1.0", {}, None),
    "http-echo without a text": ("docker.io/hashicorp/http-echo:1.0.0", {}, [0.0, 127]),
    "hello-world": ("docker.io/library/hello-world:latest", {}, [0.0, 0]),
    "agnhost": ("registry.k8s.io/e2e-test-images/agnhost:2.53", {}, None),
    "pause": ("registry.k8s.io/pause:3.10", {}, None),
    "mariadb without a password": ("docker.io/library/mariadb:11", {}, [0.0, 1]),
    "mariadb with a password": ("docker.io/library/mariadb:11", {"MYSQL_ROOT_PASSWORD": "x"}, None),
    "mongo": ("docker.io/library/mongo:7", {}, None),
    "rabbitmq": ("docker.io/library/rabbitmq:3-management", {}, None),
    "memcached": ("docker.io/library/memcached:1.6", {}, None),
    "echoserver": ("registry.k8s.io/echoserver:1.10", {}, None),
}


@pytest.mark.parametrize(("image", "env", "ended"), SERVERS.values(), ids=SERVERS.keys())
def test_servers(world: World, image: str, env: dict[str, str], ended: list[Any] | None) -> None:
    world.start("c", image=image, env=env)
    world.run(10)
    assert world.told == ([["exited", ended[0], "c", ended[1]]] if ended else [])
    if ended is None:
        found, _ = find(image)
        world.sandboxes.get("web").signal("c", found.stop_signal)
        world.run(10)
        assert [entry[0] for entry in world.told] == ["exited"]
