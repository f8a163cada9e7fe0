"""The kubelet's client of the container runtime, with the names of the CRI. Nothing else in this room knows how
containers run.

Its answers are data: a ``Container`` says how a container is, and whoever asks for something that takes virtual
time (a command, a connection) names the clock event that gets the answer. Models
staging/src/k8s.io/cri-api (RuntimeService) and pkg/kubelet/cri/remote.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from cluster_engine.cni import AddressesExhausted
from cluster_engine.container_runtime.container import CREATED, EXITED, RUNNING, Container
from cluster_engine.container_runtime.errors import StartError
from cluster_engine.container_runtime.image import GIVES_UP
from cluster_engine.container_runtime.logs import Log, LogLine
from cluster_engine.container_runtime.sandboxes import Calls, Sandboxes
from cluster_engine.container_runtime.setup import HOST, Setup
from cluster_engine.kubelet.atomic_writer import at
from cluster_engine.kubelet.core import Core
from cluster_engine.kubelet.dialer import Dialer
from cluster_engine.kubelet.disks import Disks, names_of, on_node, within
from cluster_engine.kubelet.dns import Resolver
from cluster_engine.kubelet.record import FINISHED, TERMINATING, PodRecord
from cluster_engine.kubelet.steady import missed_lines
from cluster_engine.kubelet.users import User
from cluster_engine.kubelet.volumes import Mount
from cluster_engine.linux.files import emptied, tree
from cluster_engine.linux.text import characters, octets
from cluster_engine.network import Clients, Instant, Network
from cluster_engine.network.client import Then
from cluster_engine.sim import SECOND
from cluster_engine.version import KUBERNETES_VERSION

FOREGROUND = 300 * SECOND
"""What a Pod that is waited for does this soon after its start, ``settle`` waits for."""
IMAGINATIONS = 512
"""Logs of containers that only wait that are remembered; a full memory begins anew."""
UNKNOWN_EXIT = 255
"""containerd's exit code of a container whose end it has not seen."""
_RESOLV_CONF, _HOSTNAME = "/etc/resolv.conf", "/etc/hostname"

Node = dict[str, Any]
"""A file tree, as ``linux.files`` knows it."""

ROOT = User(0, 0, (0,))


MACHINE, _MACHINES = "machine", "machine/"
MACHINE_IMAGE = f"docker.io/kindest/node:v{KUBERNETES_VERSION}"
"""What runs on a node beside its Pods."""
HANDLERS = ("", "runc")
"""The runtimes that a node's containerd is configured with."""


class RuntimeFailed(Exception):
    """The runtime refuses; str() is its message."""


class PodSandboxConfig(NamedTuple):
    """What a sandbox is made from."""

    hostname: str
    namespace: str
    host_network: bool
    volumes: dict[str, Node]
    """Each volume's tree."""
    limits: dict[str, int]
    """Bytes that fit into those that are bounded."""
    resolver: Resolver
    handler: str = ""
    """The runtime that is asked for; "": the usual one."""


class ContainerConfig(NamedTuple):
    """What a container is made from."""

    name: str
    image: str
    """The full reference."""
    argv: list[str]
    env: dict[str, str]
    """What the Pod sets, on top of the image's own variables."""
    volumes: dict[str, Node]
    """Trees of its own that it mounts."""
    workdir: str = ""
    """"" for the image's."""
    user: User = ROOT
    mounts: tuple[Mount, ...] = ()
    """Outer ones first."""
    read_only: bool = False
    """Whether its root file system is."""
    message_path: str = ""
    """A file of its own for its last words."""
    memory: int | None = None
    """Its limit, bytes."""
    stdin: bool = False
    """Whether its standard input stays open for those who attach."""
    stdin_once: bool = False
    """Whether it ends with the first of them."""
    tty: bool = False
    pids: str = ""
    """Whose processes it shares: the id of another container, POD for all of the Pod's, NODE for all of
    the node's; "" for its own."""
    millis: int = 0
    """Its limit, thousandths of a processor; 0 for none."""


class Runtime:
    """The sandboxes and containers of all nodes. It alone changes a ``Container``."""

    def __init__(
        self, core: Core, network: Network, calls: Calls, exited: Callable[[PodRecord, Container], None]
    ) -> None:
        """``calls`` is what programs may ask the host for; ``exited`` is told of each container that has ended."""
        self.core = core
        self.clock = core.clock
        self.sandboxes = Sandboxes(self.clock, core.chance, network, self, calls, core.registry)
        self.disks = Disks()
        self.sandboxes.written = self._keep_disks
        self.node_wrote: Callable[[str], None] = lambda _host: None
        """Told after each turn of a node's own machine."""
        self.clients = Clients(self.clock, network)
        self.instant = Instant(
            network, self.sandboxes.converse, self.sandboxes.foresee, self.sandboxes.rehearse
        )
        for node in core.nodes.values():
            self.clients.add(node.name, node.ip)
        self.dialer = Dialer(core, self.clients)
        self._exited = exited
        self._by_ip: dict[str, str] = {}
        self._imaginations: dict[str, tuple[int | None, Log]] = {}
        """Container -> (until when, what it would have written)."""
        self._sessions: dict[str, str] = {}
        """Session -> the Pod's uid."""
        self.clock.register("runtime/kill", self._kill)

    # ---- sandboxes -------------------------------------------------------------------------------------

    def run_pod_sandbox(self, record: PodRecord, config: PodSandboxConfig) -> None:
        """Makes the Pod's sandbox and gives it an address. Raises RuntimeFailed."""
        if config.handler not in HANDLERS:
            raise RuntimeFailed(
                "rpc error: code = Unknown desc = failed to get sandbox runtime: "
                f'no runtime for "{config.handler}" is configured'
            )
        node = self.core.nodes[record.node]
        try:
            ip = (
                node.ip
                if config.host_network
                else node.addresses.allocate(
                    self.core.chance.of(
                        "address", record.uid, *((record.epoch,) if record.sandbox_at else ())
                    )
                )
            )
        except AddressesExhausted as error:
            raise RuntimeFailed(
                "rpc error: code = Unknown desc = failed to setup network for sandbox: "
                f'plugin type="host-local" failed (add): {error}'
            ) from error
        now = self.clock.now
        own = {
            _RESOLV_CONF: tree.file(octets(config.resolver.text()), mtime=now),
            _HOSTNAME: tree.file(octets(f"{config.hostname}\n"), mtime=now),
        }
        self.sandboxes.add(
            record.uid,
            hostname=config.hostname,
            ip=ip,
            node=record.node,
            volumes={**own, **config.volumes},
            limits=config.limits,
        )
        record.sandbox = True
        record.ip = ip
        record.sandbox_at = now
        if not config.host_network:
            self._by_ip[ip] = record.uid

    def mount_disks(self, record: PodRecord, disks: dict[str, str]) -> None:
        """Volume -> key of what outlives the Pod: what is written there is kept."""
        for volume, key in disks.items():
            root = self.volume(record, volume)
            if root is not None:
                self.disks.mount(record.uid, volume, key, root)
                self.sandboxes.mounted.add(record.uid)

    def _keep_disks(self, uid: str) -> None:
        """A Pod with volumes that outlive it, or a node's machine, has run: what it wrote is kept, others see it."""
        look = self.sandboxes.look(uid).files

        def emptied_of(volume: str) -> Node | None:
            found = look(volume)
            return emptied(found) if found is not None else None

        told, changed = self.disks.wrote(uid, emptied_of)
        hosts = {key.partition(":")[0] for key in changed if not key.startswith("csi/")}
        own = look(f"root/{MACHINE}") if uid.startswith(_MACHINES) else None
        if own is not None:
            for names, key in self._apart(uid.removeprefix(_MACHINES)):
                part = tree.find(own, names)
                if part is not None and part != self.disks.tree(key):
                    told += self.disks.lies(key, part)
        for other, volume, root in told:
            if self.sandboxes.has(other):
                self.sandboxes.get(other).set_volume(volume, root)
        for host in sorted(hosts):
            self._show_on_machine(host)
        if uid.startswith(_MACHINES):
            self.node_wrote(uid.removeprefix(_MACHINES))

    def _apart(self, host: str) -> list[tuple[list[str], str]]:
        """The places of a node that lie in its machine's own file system, not in what is mounted there."""
        mounts = [names_of(mount[1]) for mount in self.sandboxes.look(_machine(host)).mounts(MACHINE)]
        return [
            (names, key)
            for names, key in self.disks.of_node(host)
            if names and not any(mount == names[: len(mount)] for mount in mounts)
        ]

    def _show_on_machine(self, host: str) -> None:
        """Who is logged in sees what Pods have written on the node."""
        if not self.sandboxes.has(_machine(host)):
            return
        volume = f"root/{MACHINE}"
        before = root = self.sandboxes.look(_machine(host)).files(volume)
        if root is None:
            return
        for names, key in self._apart(host):
            lies = self.disks.tree(key)
            if lies is not None and tree.find(root, names) != lies:
                root = within(root, names, lies)
        if root is not before:
            self.sandboxes.get(_machine(host)).set_volume(volume, root)

    def place_of_node(self, host: str, path: str) -> Node | None:
        """What lies at a path of a node, if a Pod or who is logged in has written there; None: what it began with."""
        found = self.disks.found(on_node(host, path))
        if found is None and self.sandboxes.has(_machine(host)):
            root = self.sandboxes.look(_machine(host)).files(f"root/{MACHINE}")
            found = tree.find(root, names_of(path)) if root is not None else None
        return found

    def disk_of_node(self, host: str, path: str) -> Node | None:
        """What lies at a path of a node, if anybody has changed it."""
        return self.disks.tree(on_node(host, path))

    def change_disk_of_node(self, host: str, path: str, root: Node) -> None:
        """Another tree lies at that path of a node; who is logged in sees it."""
        self.disks.put(on_node(host, path), root)
        if self.sandboxes.has(_machine(host)):
            self.sandboxes.get(_machine(host)).set_volume(path, root)

    def stop_pod_sandbox(self, record: PodRecord) -> None:
        """Ends what runs and gives the Pod's address back."""
        if record.uid in self.sandboxes.mounted:
            self._keep_disks(record.uid)
            self.disks.unmount(record.uid)
        self.sandboxes.stop(record.uid)
        if self._by_ip.get(record.ip) == record.uid:
            del self._by_ip[record.ip]
            self.core.nodes[record.node].addresses.release(record.ip)

    def set_volume(self, record: PodRecord, volume: str, root: Node) -> None:
        """Makes a volume of the Pod, or gives it a new tree that containers see at once."""
        self.sandboxes.get(record.uid).set_volume(volume, root)

    def volume(self, record: PodRecord, volume: str) -> Node | None:
        """A volume's tree; None when there is none."""
        return self.sandboxes.get(record.uid).volume(volume) if record.sandbox else None

    def volume_file(self, record: PodRecord, volume: str, path: str) -> str | None:
        """The text of a file in a volume, whatever mounts it; None when there is none. Runs nothing."""
        root = self.sandboxes.look(record.uid).files(volume)
        found = at(root, path) if root is not None else None
        return characters(tree.content(found)) if found is not None and found["t"] == "f" else None

    def look_at(self, record: PodRecord) -> Callable[[str], Node | None]:
        """As ``volume``, of several volumes in turn, for who touches nothing of the Pod's."""
        return self.sandboxes.look(record.uid).volume

    # ---- containers ------------------------------------------------------------------------------------

    def create_container(self, record: PodRecord, config: ContainerConfig) -> None:
        """Makes the container; the one before it of the same name becomes the previous one. Raises RuntimeFailed."""
        now = self.clock.now
        new = self.core.chance.of("container", record.uid, config.name, now).hex(64)
        self._check_target(record, config, new)
        if config.name in record.containers:
            self.remove_container(record, config.name)
        last = record.previous.get(config.name)
        image, _ = self.core.registry.find(config.image)
        container = record.containers[config.name] = Container(
            config.name,
            new,
            config.image,
            config.argv,
            config.env or None,
            attempt=last.attempt + 1 if last is not None else 0,
            created_at=now,
            memory=config.memory,
            mounts=[[m.volume, m.path, m.sub, m.read_only] for m in config.mounts],
            workdir=config.workdir or image.workdir,
            user=[config.user.uid, config.user.gid, *config.user.groups],
            read_only=config.read_only,
            message_path=config.message_path,
            stdin=config.stdin,
            stdin_once=config.stdin_once,
            tty=config.tty,
            pids=config.pids,
            millis=config.millis,
        )
        for volume, root in config.volumes.items():
            self.set_volume(record, volume, root)
        if container.message_path:
            self.set_volume(record, _message_volume(container), tree.file(mode=0o666, mtime=now))

    def remove_container(self, record: PodRecord, name: str) -> None:
        """A container that has ended is the previous one of its name."""
        last = record.previous[name] = record.containers.pop(name)
        self.sandboxes.get(record.uid).remove(last.id, _message_volume(last))

    def _check_target(self, record: PodRecord, config: ContainerConfig, new: str) -> None:
        """Who joins another container's processes finds it running. Raises RuntimeFailed."""
        target = next((c for c in record.containers.values() if c.id == config.pids), None)
        if target is not None and target.state != RUNNING:
            raise RuntimeFailed(
                f'rpc error: code = Unknown desc = failed to generate container "{new}" spec: invalid target '
                f'container: container "{target.id}" is not running - in state CONTAINER_{target.state.upper()}'
            )

    def start_container(self, record: PodRecord, name: str) -> None:
        """Starts its process. Raises RuntimeFailed when that cannot be; the container has then exited with 128."""
        now, container = self.clock.now, record.containers[name]
        container.started_at = now
        try:
            self.sandboxes.get(record.uid).start(container.id, _setup(container))
        except StartError as error:
            container.state, container.exit_code = EXITED, 128
            container.reason, container.message = "StartError", str(error)
            container.started_at, container.finished_at = 0, now
            raise RuntimeFailed(str(error)) from error
        container.state = RUNNING

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
            image, _ = self.core.registry.find(container.image)
            self.sandboxes.get(record.uid).signal(container.id, image.stop_signal)

    def update_container(self, record: PodRecord, name: str, memory: int | None, millis: int) -> None:
        """Gives a running container other limits (bytes; thousandths of a processor, 0 for none)."""
        container = record.containers[name]
        container.memory, container.millis = memory, millis
        self.sandboxes.get(record.uid).update(container.id, memory or 0, millis)

    def throttle(self, record: PodRecord, name: str, millis: int) -> None:
        """Leaves a running container less of a processor than it may have, of which no kubelet knows; 0: that again."""
        container = record.containers[name]
        known = self.sandboxes.get(record.uid)
        known.update(container.id, container.memory or 0, millis or container.millis)

    def usage(self, record: PodRecord, container: Container) -> tuple[int, int]:
        """What a running container has spent of processors (µs), and the bytes that it holds. Runs nothing."""
        found = self.sandboxes.look(record.uid).usage(container.id, self.clock.now)
        return found if found is not None else (0, self.core.registry.find(container.image)[0].memory)

    def kill(self, record: PodRecord, name: str) -> None:
        """SIGKILL to the container's main process."""
        self.sandboxes.get(record.uid).signal(record.containers[name].id, "KILL")

    def give_up(self, record: PodRecord, name: str) -> None:
        """A component of the control plane ends by itself."""
        self.sandboxes.get(record.uid).signal(record.containers[name].id, GIVES_UP)

    def lose(self, record: PodRecord) -> None:
        """The machine under it has lost its power: nothing runs any more, and nobody knows how it ended."""
        for container in record.containers.values():
            if container.state == EXITED:
                continue
            if record.sandbox and self.sandboxes.look(record.uid).waiting(container.id):
                for at, stream, text in self.sandboxes.imagine(record.uid, container.id)[0]:
                    container.log.write(at, stream, text)
            container.state, container.exit_code, container.reason = EXITED, UNKNOWN_EXIT, "Unknown"
            container.log.close(self.clock.now)
        self.remove_pod(record)

    def remove_pod(self, record: PodRecord) -> None:
        """Nothing of the Pod runs or will run: no event of it comes any more."""
        for timer in [t for t in record.timers if t.startswith("kill/")]:
            self.clock.cancel(record.timers.pop(timer))
        self.stop_pod_sandbox(record)
        self.sandboxes.remove(record.uid)
        record.sandbox = False

    # ---- processes that end ----------------------------------------------------------------------------

    def _kill(self, uid: str, name: str, container_id: str) -> None:
        """Clock event: SIGKILL."""
        record = self.core.records.get(uid)
        container = record.containers.get(name) if record is not None else None
        if container is not None and container.id == container_id and container.state == RUNNING:
            self.sandboxes.get(uid).signal(container_id, "KILL")

    def out_of_memory(self, key: str, container: str) -> None:
        """A container had more memory than it may (``sandboxes.Told``): whatever ends it now, that is why."""
        record = self.core.records.get(key)
        if record is not None:
            next(c for c in record.containers.values() if c.id == container).reason = "OOMKilled"

    def exited(self, key: str, container: str, status: int) -> None:
        """A container's main process has ended (``sandboxes.Told``)."""
        record = self.core.records.get(key)
        if record is None:
            return
        ended = next(c for c in record.containers.values() if c.id == container)
        self.clock.cancel(record.timers.pop(f"kill/{ended.name}", None))
        ended.log.close(self.clock.now)
        ended.state, ended.exit_code, ended.finished_at = EXITED, status, self.clock.now
        ended.reason = ended.reason or ("Completed" if status == 0 else "Error")
        self._exited(record, ended)

    def awaits(self, key: str, due: int) -> bool:
        """Whether ``settle`` waits for what the Pod does then."""
        record = self.core.records.get(key)
        if record is None or record.state == FINISHED:
            return False
        if due - record.sandbox_at > FOREGROUND:
            return record.state == TERMINATING
        pod = self.core.pod_of(record)
        if record.state == TERMINATING:
            return True
        if pod is None:
            return False
        if pod["spec"].get("restartPolicy") != "Always":
            return True
        return not any(c["name"] in record.containers for c in pod["spec"]["containers"])

    def processes(self, asked: list[str]) -> list[dict[str, Any]]:
        """Of [node, key of a sandbox there]: what runs on the node beside that sandbox, by number. Runs nothing."""
        host, own = asked
        keys = [record.uid for record in self.core.records.all() if record.node == host and record.sandbox]
        machine = _machine(host)
        rows = [] if own == machine else self.sandboxes.services(machine)
        for key in keys:
            if key != own:
                rows += self.sandboxes.look(key).listed(self.sandboxes.first_pid(key))
        return sorted(rows, key=lambda row: int(row["pid"]))

    # ---- commands --------------------------------------------------------------------------------------

    def exec_sync(
        self, record: PodRecord, name: str, argv: list[str], timeout: float, then: Then, background: bool
    ) -> None:
        """Runs a command in a running container. The answer is one of

        ``["exited", code, output]`` · ``["timeout"]`` after that many virtual seconds ·
        ``["failed", message]`` when the command cannot be started.
        """
        container = record.containers[name]
        try:
            self.sandboxes.get(record.uid).commands.exec_sync(
                container.id, argv, round(timeout * SECOND), then, background
            )
        except StartError as error:
            text = f'failed to exec in container: failed to start exec "{container.id}": {error}'
            self.clock.call_at(self.clock.now, *then, ["failed", text], background=background)

    # ---- sessions --------------------------------------------------------------------------------------

    def open_session(
        self, record: PodRecord, container: Container, session: str, argv: list[str], stdin: bool, tty: bool
    ) -> None:
        """Runs a command whose output goes to the session. Raises StartError."""
        self.sandboxes.get(record.uid).commands.open(session, container.id, argv, stdin=stdin, tty=tty)
        self._sessions[session] = record.uid

    def attach(self, record: PodRecord, container: Container, session: str) -> None:
        """Connects the session with the container's main process."""
        self.sandboxes.get(record.uid).commands.attach(session, container.id)
        self._sessions[session] = record.uid

    def log_in(
        self,
        host: str,
        ip: str,
        files: dict[str, Node],
        kept: tuple[str, ...],
        session: str,
        argv: list[str],
        tty: bool,
    ) -> None:
        """Runs a command on the machine of a node, which shows these directories. Raises StartError.

        What is written in ``kept``, some of them, outlives the machine.
        """
        key = _machine(host)
        if not self.sandboxes.has(key):
            hosts = tree.file(octets(f"127.0.0.1\tlocalhost\n{ip}\t{host}\n"), mtime=self.clock.now)
            name = tree.file(octets(f"{host}\n"), mtime=self.clock.now)
            disks = {path: self.disk_of_node(host, path) for path in kept}
            known = {path: root for path, root in disks.items() if root is not None}
            volumes = {**files, **known, _HOSTNAME: name, "/etc/hosts": hosts}
            made = self.sandboxes.add(key, hostname=host, ip=ip, node=host, volumes=volumes, limits={})
            mounts = tuple((path, path, "", False) for path in volumes)
            made.start(MACHINE, Setup(MACHINE_IMAGE, ["/sbin/init"], {}, "/root", mounts=mounts, pids=HOST))
            for path in kept:
                self.disks.mount(key, path, on_node(host, path), volumes[path])
            self.sandboxes.mounted.add(key)
        self.sandboxes.get(key).commands.open(session, MACHINE, argv, stdin=True, tty=tty)
        self._show_on_machine(host)
        self._sessions[session] = key

    def log_out(self, host: str) -> None:
        """Nothing runs on the machine of a node any more, and most of what was written there is gone."""
        self.disks.unmount(_machine(host))
        self.sandboxes.remove(_machine(host))

    def input(self, session: str, data: bytes) -> None:
        """Bytes for a session's standard input."""
        if session in self._sessions:
            self.sandboxes.get(self._sessions[session]).commands.input(session, data.decode("latin-1"))

    def end_input(self, session: str) -> None:
        """No more of them come."""
        if session in self._sessions:
            self.sandboxes.get(self._sessions[session]).commands.end_input(session)

    def resize(self, session: str, columns: int, rows: int) -> None:
        """The session's terminal has another size."""
        if session in self._sessions:
            self.sandboxes.get(self._sessions[session]).commands.resize(session, columns, rows)

    def hang_up(self, session: str) -> None:
        """Whoever had the session is gone."""
        uid = self._sessions.pop(session, None)
        if uid is not None:
            self.sandboxes.get(uid).commands.hang_up(session)

    def output(self, session: str, fd: int, text: str) -> None:
        """What a session's process wrote (``sandboxes.Told``)."""
        self.core.ctx.server.sessions.output(session, fd, text.encode("latin-1"))

    def connection_ended(self, session: str, stream: int) -> None:
        """A connection of a session is over (``sandboxes.Told``)."""
        self.core.ctx.server.sessions.closed(session, stream, "")

    def session_ended(self, session: str, status: int) -> None:
        """A session's process has ended (``sandboxes.Told``)."""
        self._sessions.pop(session, None)
        self.core.ctx.server.sessions.ended(session, status)

    # ---- what probes leave -----------------------------------------------------------------------------

    def answers_alike(self, record: PodRecord) -> bool:
        """Whether the Pod's containers that are probed answer the same to the same request at any time."""
        probed = {key.rpartition("/")[0] for key in record.probes}
        return all(
            self.core.registry.find(record.containers[name].image)[0].steady for name in sorted(probed)
        )

    def print_of(self, record: PodRecord) -> str:
        """A digest of the sandbox, counters of what it did aside."""
        return self.sandboxes.look(record.uid).print()

    def touches(self, record: PodRecord) -> int:
        """How often anybody worked with the sandbox so far."""
        return self.sandboxes.touches.get(record.uid, 0)

    # ---- files and logs --------------------------------------------------------------------------------

    def last_words(self, record: PodRecord, container: Container) -> bytes:
        """What the container left at its message path. Runs nothing."""
        if not container.message_path:
            return b""
        found = self.sandboxes.get(record.uid).volume(_message_volume(container))
        return tree.content(found).encode("latin-1") if found is not None else b""

    def logs(self, record: PodRecord, container: Container) -> list[LogLine]:
        """All lines that the container wrote, oldest first. Runs nothing."""
        return self.log_of(record, container).lines()

    def log_of(self, record: PodRecord, container: Container) -> Log:
        """What the container wrote, to look at. Runs nothing."""
        if container.state != RUNNING:
            return container.log
        if not self.sandboxes.look(record.uid).waiting(container.id):
            probes = [
                probe for key, probe in record.probes.items() if key.rpartition("/")[0] == container.name
            ]
            missed = missed_lines(probes, self.clock.now)
            if not missed:
                return container.log
            log = Log.load(container.log.state())
            for at, stream, text in missed:
                log.write(at, stream, text)
            return log
        return self._imagined(record, container)

    def _imagined(self, record: PodRecord, container: Container) -> Log:
        """What one that only waits would have written; it is remembered until it would write more."""
        known = self._imaginations.get(container.id)
        if known is not None and (known[0] is None or self.clock.now < known[0]):
            return known[1]
        imagined = Log()
        written, due = self.sandboxes.imagine(record.uid, container.id)
        for when, stream, text in written:
            imagined.write(when, stream, text)
        if len(self._imaginations) >= IMAGINATIONS:
            self._imaginations.clear()
        self._imaginations[container.id] = (due, imagined)
        return imagined

    def log(self, key: str, container: str, at: int, stream: str, text: str) -> None:
        """A container's main process wrote something (``sandboxes.Told``)."""
        record = self.core.records.get(key)
        if record is not None:
            for each in record.containers.values():
                if each.id == container:
                    each.log.write(at, stream, text)
                    return

    # ---- saving ----------------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        state = {
            "addresses": list(self._by_ip.items()),
            "sessions": dict(self._sessions),
            "sandboxes": self.sandboxes.state(),
            "clients": self.clients.state(),
        }
        return {**state, "disks": self.disks.state()} if self.disks else state

    def load(self, state: dict[str, Any]) -> None:
        self._imaginations.clear()
        self._by_ip = dict(state["addresses"])
        self._sessions = dict(state["sessions"])
        self.sandboxes.load(state["sandboxes"])
        self.clients.load(state["clients"])
        self.disks = Disks()
        if "disks" in state:
            self.disks.load(state["disks"])
        self.sandboxes.mounted = set(self.disks.mounted())

    def share(self, other: Runtime) -> None:
        """As ``load``, from another cluster's runtime."""
        self._by_ip, self._sessions = other._by_ip.copy(), other._sessions.copy()
        self.sandboxes.share(other.sandboxes)
        self.clients.load(other.clients.state())
        self.disks.share(other.disks)
        self.sandboxes.mounted = set(self.disks.mounted())


def _setup(container: Container) -> Setup:
    """What a container's processes are started with."""
    uid, gid, *groups = container.user
    mounts = [(volume, path, sub, frozen) for volume, path, sub, frozen in container.mounts]
    taken = {path for _, path, _, _ in mounts}
    own = [(path, path, "", container.read_only) for path in (_RESOLV_CONF, _HOSTNAME) if path not in taken]
    if container.message_path and container.message_path not in taken:
        own.append((_message_volume(container), container.message_path, "", False))
    return Setup(
        container.image,
        container.argv,
        container.env or {},
        container.workdir,
        uid,
        gid,
        tuple(groups),
        (*mounts, *own),
        container.read_only,
        container.stdin,
        container.stdin_once,
        container.tty,
        container.memory or 0,
        container.pids,
        container.millis,
    )


def _machine(host: str) -> str:
    """The key of the sandbox that is the machine of a node."""
    return f"{_MACHINES}{host}"


def _message_volume(container: Container) -> str:
    return f"message/{container.id}"
