"""The kubelet's client of the container runtime, with the names of the CRI. Nothing else in this room knows how
containers run.

Its answers are data: a ``Container`` says how a container is, and whoever asks for something that takes virtual
time (a command, a connection) names the clock event that gets the answer. Models
staging/src/k8s.io/cri-api (RuntimeService) and pkg/kubelet/cri/remote.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cluster_engine.cni import AddressesExhausted
from cluster_engine.container_runtime.container import CREATED, EXITED, RUNNING, Container
from cluster_engine.container_runtime.image import PATH
from cluster_engine.container_runtime.network import ConnectionFailed, HttpReply, HttpRequest, Network
from cluster_engine.container_runtime.process import Launch, Plan
from cluster_engine.container_runtime.registry import find
from cluster_engine.container_runtime.sandbox import Profile, Sandbox
from cluster_engine.kubelet.core import Core
from cluster_engine.kubelet.dns import Resolver
from cluster_engine.kubelet.programs import plan, start_error
from cluster_engine.kubelet.record import FINISHED, TERMINATING, PodRecord
from cluster_engine.kubelet.users import User
from cluster_engine.kubelet.volumes import Mount
from cluster_engine.sim import SECOND

REFUSED, UNREACHABLE = "connection refused", "no route to host"
FOREGROUND = 300 * SECOND
"""A process that ends by itself this soon after its start is waited for by ``settle``."""
_OUTPUT = 16 * 1024
"""Bytes of a command's output that ``exec_sync`` answers with (the CRI's limit is 16 MiB)."""

Then = list[Any]
"""[name of a clock handler, its first arguments …]: it is called with the answer as the last argument."""

Node = dict[str, Any]
"""A file tree, as ``linux.files`` knows it."""

ROOT = User(0, 0, (0,))

LogLine = tuple[int, str, str]
"""(virtual µs, "stdout" or "stderr", text without the line's end)."""


class RuntimeFailed(Exception):
    """The runtime refuses; str() is its message."""


class NotFound(Exception):
    """A command's program is not in the container; str() is why, in runc's words."""


@dataclass(frozen=True, slots=True)
class PodSandboxConfig:
    """What a sandbox is made from."""

    hostname: str
    namespace: str
    host_network: bool
    volumes: dict[str, Node]
    """Each volume's tree."""
    limits: dict[str, int]
    """Bytes that fit into those that are bounded."""
    resolver: Resolver


@dataclass(frozen=True, slots=True)
class ContainerConfig:
    """What a container is made from."""

    name: str
    image: str
    """The full reference."""
    argv: list[str]
    env: dict[str, str]
    """What the Pod sets, on top of the image's own variables."""
    workdir: str = ""
    """"" for the image's."""
    user: User = ROOT
    mounts: tuple[Mount, ...] = ()
    """Outer ones first."""
    volumes: dict[str, Node] = field(default_factory=dict)
    """Trees of its own that it mounts."""
    read_only: bool = False
    """Whether its root file system is."""
    message_path: str = ""
    """A file of its own for its last words."""
    memory: int | None = None
    """Its limit, bytes."""


class Runtime:
    """The sandboxes and containers of all nodes. It alone changes a ``Container`` and a ``Sandbox``."""

    def __init__(self, core: Core, exited: Callable[[PodRecord, Container], None]) -> None:
        """``exited`` is told of each container whose process has ended."""
        self.core = core
        self.clock = core.clock
        self.network: Network | None = None
        self._exited = exited
        self._by_ip: dict[str, str] = {}
        core.records.copied = self.copied
        self.clock.register("runtime/exit", self._end)
        self.clock.register("runtime/kill", self._kill)
        self.clock.register("runtime/script", self._scripts)

    # ---- sandboxes -------------------------------------------------------------------------------------

    def run_pod_sandbox(self, record: PodRecord, config: PodSandboxConfig) -> None:
        """Makes the Pod's sandbox and gives it an address. Raises RuntimeFailed."""
        node = self.core.nodes[record.node]
        try:
            ip = (
                node.ip
                if config.host_network
                else node.addresses.allocate(self.core.chance.of("address", record.uid))
            )
        except AddressesExhausted as error:
            raise RuntimeFailed(
                "rpc error: code = Unknown desc = failed to setup network for sandbox: "
                f'plugin type="host-local" failed (add): {error}'
            ) from error
        record.sandbox = Sandbox(
            config.hostname,
            config.namespace,
            ip,
            config.volumes,
            config.resolver.text(),
            self._profile(record),
            self.network,
        )
        record.ip = ip
        record.sandbox_at = self.clock.now
        if not config.host_network:
            self._by_ip[ip] = record.uid

    def stop_pod_sandbox(self, record: PodRecord) -> None:
        """Gives the Pod's address back. Files and logs stay until the record goes."""
        if self._by_ip.get(record.ip) == record.uid:
            del self._by_ip[record.ip]
            self.core.nodes[record.node].addresses.release(record.ip)

    def set_volume(self, record: PodRecord, volume: str, tree: Node) -> None:
        """Makes a volume of the Pod, or gives it a new tree that containers see at once."""
        assert record.sandbox is not None
        record.sandbox.set_volume(volume, tree, self.clock.now)

    def volume(self, record: PodRecord, volume: str) -> Node | None:
        """A volume's tree as it was last set; None when there is none."""
        return record.sandbox.volume(volume) if record.sandbox is not None else None

    # ---- containers ------------------------------------------------------------------------------------

    def create_container(self, record: PodRecord, config: ContainerConfig) -> None:
        """Makes the container; the one before it of the same name becomes the previous one."""
        last = record.containers.get(config.name)
        if last is not None:
            record.previous[config.name] = last
        record.containers[config.name] = Container(
            config.name,
            self.core.chance.of("container", record.uid, config.name, self.clock.now).hex(64),
            config.image,
            config.argv,
            config.env or None,
            attempt=last.attempt + 1 if last is not None else 0,
            created_at=self.clock.now,
            memory=config.memory,
            mounts=[[m.volume, m.path, m.sub, m.read_only] for m in config.mounts],
            workdir=config.workdir,
            user=[config.user.uid, config.user.gid],
            read_only=config.read_only,
            message_path=config.message_path,
        )
        for volume, tree in config.volumes.items():
            self.set_volume(record, volume, tree)

    def start_container(self, record: PodRecord, name: str) -> None:
        """Starts its process. Raises RuntimeFailed when that cannot be; the container has then exited with 128."""
        now, container, sandbox = self.clock.now, record.containers[name], record.sandbox
        assert sandbox is not None
        container.started_at = now
        found = self._plan(record, container)
        sandbox.fresh(name, now)
        error = start_error(sandbox, container, found, now)
        if error:
            container.state, container.exit_code = EXITED, 128
            container.reason, container.message = "StartError", error
            container.started_at, container.finished_at = 0, now
            raise RuntimeFailed(error)
        container.state = RUNNING
        if container.memory is not None and container.memory < found.memory:
            self._exit_at(record, name, now + 150_000, 137, "OOMKilled")
        elif found.script:
            sandbox.start(name, container.image, container.argv, self._env(record, container), now)
            self._watch(record)
        elif found.exits is not None:
            self._exit_at(record, name, now + found.exits[0], found.exits[1])

    def stop_container(self, record: PodRecord, name: str, seconds: float) -> None:
        """Sends the stop signal, and SIGKILL after ``seconds``. Asked again, it only moves the latter."""
        container = record.containers[name]
        if container.state == CREATED:
            container.state, container.exit_code = EXITED, 128
            container.reason, container.finished_at = "ContainerCannotRun", self.clock.now
            return
        if container.state != RUNNING:
            return
        timer = f"kill/{name}"
        signalled = timer in record.timers
        self.clock.cancel(record.timers.get(timer))
        record.timers[timer] = self.clock.call_later(seconds, "runtime/kill", record.uid, name, container.id)
        if not signalled:
            container.stopping = self.clock.now
            self._signal(record, container)

    def _signal(self, record: PodRecord, container: Container) -> None:
        now, sandbox, found = self.clock.now, record.sandbox, self._plan(record, container)
        assert sandbox is not None
        if found.script:
            if sandbox.signal(container.name, "TERM", now):
                self._watch(record)
            return
        for offset, stream, text in found.term_log:
            container.note(now + offset, stream, text)
        if found.on_term is not None:
            self._exit_at(record, container.name, now + found.on_term[0], found.on_term[1])

    def remove_pod(self, record: PodRecord) -> None:
        """Nothing of the Pod runs or will run: no event of it comes any more."""
        for timer in [t for t in record.timers if t == "script" or t.startswith(("exit/", "kill/"))]:
            self.clock.cancel(record.timers.pop(timer))
        self.stop_pod_sandbox(record)

    # ---- processes that end ----------------------------------------------------------------------------

    def _exit_at(self, record: PodRecord, name: str, due: int, code: int, reason: str = "") -> None:
        """The container will end then, unless something else ends it earlier."""
        container, timer = record.containers[name], f"exit/{name}"
        self.clock.cancel(record.timers.get(timer))
        background = container.stopping == 0 and not _soon(record, container.started_at, due)
        record.timers[timer] = self.clock.call_at(
            due, "runtime/exit", record.uid, name, container.id, code, reason, background=background
        )

    def _kill(self, uid: str, name: str, container_id: str) -> None:
        """Clock event: SIGKILL."""
        self._end(uid, name, container_id, 137, "")

    def _end(self, uid: str, name: str, container_id: str, code: int, reason: str) -> None:
        """Clock event: the container's process has ended."""
        record = self.core.records.get(uid)
        container = record.containers.get(name) if record is not None else None
        if record is None or container is None:
            return
        if container.id != container_id or container.state != RUNNING:
            return
        for timer in (f"exit/{name}", f"kill/{name}"):
            self.clock.cancel(record.timers.pop(timer, None))
        if record.sandbox is not None:
            container.log.extend(record.sandbox.stop(name, self.clock.now))
        container.state, container.exit_code, container.finished_at = EXITED, code, self.clock.now
        container.reason = reason or ("Completed" if code == 0 else "Error")
        self._watch(record)
        self._exited(record, container)

    def _scripts(self, uid: str) -> None:
        """Clock event: a script of the Pod goes on, or has ended."""
        record = self.core.records.get(uid)
        if record is None or record.sandbox is None:
            return
        record.timers.pop("script", None)
        for name, at, code in record.sandbox.ended(self.clock.now):
            container = record.containers.get(name)
            if container is not None and container.state == RUNNING:
                self._exit_at(record, name, at, code)
        if not any(timer.startswith("exit/") for timer in record.timers):
            self._watch(record)

    def _watch(self, record: PodRecord) -> None:
        """Schedules the moment at which a script of the Pod goes on."""
        sandbox, now = record.sandbox, self.clock.now
        self.clock.cancel(record.timers.pop("script", None))
        if sandbox is None or not sandbox.history:
            return
        due = sandbox.next_due(now)
        ended = sandbox.ended(now)
        if ended:
            due = now
        if due is None:
            return
        background = not (ended or (self._awaited(record) and _soon(record, record.sandbox_at, due)))
        record.timers["script"] = self.clock.call_at(due, "runtime/script", record.uid, background=background)

    def _awaited(self, record: PodRecord) -> bool:
        """Whether ``settle`` waits for what the Pod's scripts do."""
        pod = self.core.pod_of(record)
        if record.state == TERMINATING:
            return True
        if pod is None:
            return False
        if pod["spec"].get("restartPolicy") != "Always":
            return True
        return not any(c["name"] in record.containers for c in pod["spec"]["containers"])

    # ---- commands --------------------------------------------------------------------------------------

    def exec_sync(
        self, record: PodRecord, name: str, argv: list[str], timeout: float, then: Then, background: bool
    ) -> None:
        """Runs a command in a running container. The answer is one of

        ``["exited", code, output]`` · ``["timeout"]`` after that many virtual seconds ·
        ``["failed", message]`` when the command cannot be started.
        """
        try:
            code, out, err = self.exec(record, name, argv, b"")
        except NotFound as error:
            message = (
                f'failed to exec in container: failed to start exec "{record.containers[name].id}": {error}'
            )
            self._answer(0.0, then, ["failed", message], background)
            return
        assert record.sandbox is not None
        took = record.sandbox.slept
        if took > timeout:
            self._answer(timeout, then, ["timeout"], background)
            return
        text = (out + err).decode("utf-8", "replace")[:_OUTPUT]
        self._answer(took, then, ["exited", code, text], background)

    def exec(self, record: PodRecord, name: str, argv: list[str], stdin: bytes) -> tuple[int, bytes, bytes]:
        """Runs a command in a running container to its end: exit code, output, errors. Raises NotFound."""
        container, sandbox = record.containers[name], record.sandbox
        assert sandbox is not None
        try:
            found = sandbox.execute(
                name, container.image, self._env(record, container), argv, stdin, self.clock.now
            )
        except FileNotFoundError:
            word = argv[0]
            why = (
                f"stat {word}: no such file or directory"
                if "/" in word
                else "executable file not found in $PATH"
            )
            raise NotFound(
                f'OCI runtime exec failed: exec failed: unable to start container process: exec: "{word}": '
                f"{why}: unknown"
            ) from None
        self._watch(record)
        return found

    def _answer(self, seconds: float, then: Then, answer: list[Any], background: bool) -> None:
        self.clock.call_later(seconds, *then, answer, background=background)

    # ---- connections -----------------------------------------------------------------------------------

    def http(
        self, address: str, port: int, request: HttpRequest, timeout: float, then: Then, background: bool
    ) -> None:
        """An HTTP request from the node. The answer is one of

        ``["reply", status]`` · ``["timeout"]`` · ``["failed", why]`` (``connection refused`` …) ·
        ``["protocol", why]`` when what answers is not HTTP of that scheme.
        """
        try:
            reply = self.request(address, port, request)
        except ConnectionFailed as failed:
            kind = "protocol" if failed.reason.startswith("http:") else "failed"
            self._answer(0.0, then, [kind, failed.reason], background)
            return
        if reply.delay > timeout:
            self._answer(timeout, then, ["timeout"], background)
            return
        self._answer(reply.delay, then, ["reply", reply.status], background)

    def connect_tcp(self, address: str, port: int, then: Then, background: bool) -> None:
        """A connection from the node. The answer is ``["connected"]`` or ``["failed", why]``."""
        try:
            self._listener(address, port)
        except ConnectionFailed as failed:
            self._answer(0.0, then, ["failed", failed.reason], background)
            return
        self._answer(0.0, then, ["connected"], background)

    def node_of(self, ip: str) -> str | None:
        """The node of whoever has the address."""
        uid = self._by_ip.get(ip)
        if uid is not None:
            return self.core.records[uid].node
        return next((node.name for node in self.core.nodes.values() if node.ip == ip), None)

    def connect(self, ip: str, port: int) -> None:
        """Raises ConnectionFailed when nothing listens at that address of a Pod or a node."""
        self._listener(ip, port)

    def request(self, ip: str, port: int, request: HttpRequest) -> HttpReply:
        """Asks the container that listens there. Raises ConnectionFailed."""
        record, container = self._listener(ip, port)
        found, sandbox = self._plan(record, container), record.sandbox
        if found.http is None or sandbox is None:
            raise ConnectionFailed("connection reset by peer")
        headers = {**request.headers, "x-virtual-time": str(self.clock.now)}
        secure = port in found.tls
        if secure != (request.scheme == "https"):
            if secure:
                return HttpReply(400, b"Client sent an HTTP request to an HTTPS server.\n")
            raise ConnectionFailed("http: server gave HTTP response to HTTPS client")
        request = HttpRequest(
            request.method, request.path, headers, request.body, request.source, request.host, request.scheme
        )
        files = sandbox.files_of(container.name, container.image, self.clock.now)
        reply = found.http(request, files, self._launch(record, container))
        if found.access_log is not None:
            line = found.access_log(request, reply, self.clock.now)
            if line is not None:
                container.note(*line)
        return reply

    def _listener(self, ip: str, port: int) -> tuple[PodRecord, Container]:
        """The container that listens there. Raises ConnectionFailed."""
        core = self.core
        uid = self._by_ip.get(ip)
        if uid is not None:
            candidates = [core.records[uid]]
        else:
            node = next((n for n in core.nodes.values() if n.ip == ip), None)
            if node is None:
                raise ConnectionFailed(UNREACHABLE)
            candidates = [
                core.records[r.uid]
                for r in core.records.all()
                if r.node == node.name and r.sandbox and r.ip == ip
            ]
        for record in candidates:
            for container in record.running():
                listens = self._plan(record, container).listens
                if listens(port, self.clock.now - container.started_at):
                    return record, container
        raise ConnectionFailed(REFUSED)

    # ---- files and logs --------------------------------------------------------------------------------

    def read_file(self, record: PodRecord, container: Container, path: str) -> bytes | None:
        """A file of a container; None when there is none. Runs nothing."""
        sandbox = record.sandbox
        if sandbox is None or not sandbox.history:
            return None
        files = sandbox.files_of(container.name, container.image, self.clock.now)
        return files.read(path) if files.is_file(path) else None

    def logs(self, record: PodRecord, container: Container) -> list[LogLine]:
        """All lines that the container wrote, oldest first."""
        now = self.clock.now
        end = container.finished_at if container.state == EXITED else now
        lines: list[LogLine] = []
        if container.started_at:
            found = self._plan(record, container)
            if not found.script:
                lines = [
                    (container.started_at + at, stream, text)
                    for at, stream, text in found.log
                    if container.started_at + at <= end
                ]
            elif container.state == RUNNING and record.sandbox is not None:
                script = record.sandbox.script(container.name, now)
                if script is not None:
                    lines = [(at, stream, text) for at, stream, text in (*script.lines, *script.unfinished())]
        lines += [(at, stream, text) for at, stream, text in container.log if at <= now]
        lines.sort(key=lambda line: line[0])
        return lines

    # ---- how a process is started ----------------------------------------------------------------------

    def _profile(self, record: PodRecord) -> Callable[[str], Profile]:
        """How the sandbox asks about containers, without holding on to the Pod."""

        def of(name: str) -> Profile:
            container = record.containers[name]
            uid, gid = container.user[:2]
            return Profile(
                container.mounts, container.workdir, uid, gid, container.read_only, container.message_path
            )

        return of

    @staticmethod
    def _env(record: PodRecord, container: Container) -> dict[str, str]:
        """What the runtime sets, the image's variables and the Pod's."""
        image, _ = find(container.image)
        hostname = record.sandbox.hostname if record.sandbox is not None else ""
        env = {"PATH": PATH, "HOSTNAME": hostname, **image.env, **(container.env or {})}
        env.setdefault("HOME", "/root" if container.user[0] == 0 else "/")
        return env

    def _launch(self, record: PodRecord, container: Container) -> Launch:
        """How the container was started."""
        _, tag = find(container.image)
        hostname = record.sandbox.hostname if record.sandbox is not None else ""
        return Launch(
            tuple(container.argv),
            self._env(record, container),
            tag,
            hostname,
            container.started_at,
            container.read_only,
            tuple(path for _, path, _, frozen in container.mounts if not frozen),
        )

    def _plan(self, record: PodRecord, container: Container) -> Plan:
        """What the container's process does."""
        return plan(self._launch(record, container), container.image)

    # ---- saving ----------------------------------------------------------------------------------------

    def state(self) -> list[Any]:
        return list(self._by_ip.items())

    def load(self, state: list[Any]) -> None:
        self._by_ip = {ip: uid for ip, uid in state}  # noqa: C416  (pairs are lists after JSON)

    def share(self, other: Runtime) -> None:
        """As ``load``, from another cluster's runtime."""
        self._by_ip = other._by_ip.copy()

    def copied(self, record: PodRecord) -> PodRecord:
        """A copy of a record, with a sandbox of this runtime."""
        copy, sandbox = PodRecord.from_data(record.state_data())
        if sandbox is not None:
            self.load_sandbox(copy, sandbox)
        return copy

    def load_sandbox(self, record: PodRecord, state: list[Any]) -> None:
        """Takes over what the record's sandbox was."""
        record.sandbox = Sandbox.load(state, self._profile(record), self.network)


def _soon(record: PodRecord, started: int, due: int) -> bool:
    """Whether ``settle`` should wait for something that is due then."""
    return due - started <= FOREGROUND and record.state != FINISHED
