"""One Pod's machine and what lies around it: its address, its volumes, its containers' processes, its resolver.

The machine (``linux.Machine``) runs processes; the network carries what they send; the clock wakes them. All of it is
data. A machine is made when something first runs in it: a Pod of images that only wait to be asked
(``Image.idle``) has none until somebody asks.

Models what containerd and runc do for one sandbox.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from cluster_engine.container_runtime.commands import COLUMNS, ROWS, Commands
from cluster_engine.container_runtime.errors import StartError, start_error
from cluster_engine.container_runtime.forwards import Forwards
from cluster_engine.container_runtime.keeper import Keeper
from cluster_engine.container_runtime.lookups import RESOLVER_PORT, Found, Lookups
from cluster_engine.container_runtime.sandbox_data import Data, Entry, packed, unpacked
from cluster_engine.container_runtime.setup import (
    HOST,
    NODE,
    POD,
    Setup,
    environment,
    fits,
    flavour,
    offered,
    waits,
)
from cluster_engine.container_runtime.trees import image_tree, program, restored
from cluster_engine.linux.errors import FileError
from cluster_engine.linux.files import Credentials, Files, Storage, emptied, filled, shown, shows, tree
from cluster_engine.linux.files.tree import Node
from cluster_engine.linux.machine import Machine
from cluster_engine.linux.text import octets
from cluster_engine.sim.packing import pack as pack_state

PIDS = 1_000
"""Numbers that a sandbox's processes have on their node."""
SANDBOX_IMAGE = "registry.k8s.io/pause:3.10.2"
"""What containerd's sandboxes run."""


class Sandbox:
    """One Pod's. It is the ``MachineHost`` of its machine, and what the network brings goes through it."""

    def __init__(
        self,
        keeper: Keeper,
        key: str,
        *,
        hostname: str,
        ip: str,
        node: str,
        volumes: dict[str, Node],
        limits: dict[str, int] | None = None,
    ) -> None:
        """``volumes`` holds each volume's tree, ``limits`` the bytes that fit into those that are bounded."""
        self.key = key
        self.hostname = hostname
        self.ip = ip
        self.node = node
        self._keeper = keeper
        self._registry = keeper.registry
        self._data = Data(dict(volumes), limits or {})
        self._lookups = Lookups(
            key, keeper, serial=self._data.fresh, waited=self._waited, settled=self._resolved
        )
        self.commands = Commands(
            key, keeper, hostname, self._data, touch=self._touch, ready=lambda: self._plan(keeper.now)
        )
        self.forwards = Forwards(keeper, self._data, touch=self._touch, accept=self.accept)
        self._machine: Machine | None = None
        self._saved: Any = None
        """The machine as it was saved; it is made of that when something touches it."""
        self._now = 0
        self._running = False
        self._news: list[tuple[Any, ...]] = []
        self._shows: list[str] | None = None
        """Volumes in which the host shows something; None: to be found out."""

    # ---- the machine -----------------------------------------------------------------------------------

    def _touch(self) -> Machine:
        """The machine, to be changed."""
        machine = self._machine
        if machine is None:
            machine = self._make()
            if self._saved is not None:
                machine.load(unpacked(self._registry, self._saved, self._data.roots, self._keeper.call))
                self._saved = None
            else:
                self._begin(machine)
        self._saved = None
        return machine

    def _make(self) -> Machine:
        machine = self._machine = Machine(
            self.hostname,
            self,
            partial(program, self._registry),
            storage=Storage(self._keeper.seed(self.key)),
        )
        return machine

    def _begin(self, machine: Machine) -> None:
        """A machine that is made late goes through what it has missed: whoever only waits had nothing to do."""
        data = self._data
        # What goes to a node's address may be for a NodePort or for another Pod there: the network finds out.
        machine.set_addresses([] if self._keeper.network.is_node(self.ip) else [self.ip])
        for name, root in data.volumes.items():
            machine.set_volume(name, filled(root, self._keeper.call), data.limits.get(name, 0))
        data.volumes = {}
        goal = self._keeper.now
        waiting = sorted(
            (c.started, name) for name, c in data.containers.items() if c.started and not c.process
        )
        self._running = True
        try:
            due: int | None = None
            for started, name in waiting:
                self._catch_up(machine, due, started)
                self._now = started
                machine.run(started)
                self._spawn(machine, name)
                due = machine.run(started)
            self._catch_up(machine, due, goal)
        finally:
            self._running = False
        self._plan(goal)

    def _catch_up(self, machine: Machine, due: int | None, goal: int) -> None:
        while due is not None and due <= goal:
            self._now = due
            due = machine.run(due)
        self._now = goal

    def faulted(self, program: str, error: Exception) -> bool:
        """A program has a bug (``MachineHost``): noted as a failure of this Pod; whether that was allowed."""
        return self._keeper.faulted("container_runtime/programs", f"{self.key} {program}", error)

    def wake(self, due: int | None) -> None:
        """The machine wants to run then (``MachineHost``)."""
        if not self._running:
            self._plan(due)

    def _plan(self, due: int | None) -> None:
        """One clock event, when the machine wants to run next."""
        data, keeper = self._data, self._keeper
        if due is None:
            return
        if due <= keeper.now:
            keeper.ready(self.key)
            return
        if data.timer is not None:
            if data.timer_due <= due:
                return
            keeper.cancel(data.timer)
        background = not self._waited(due)
        data.timer, data.timer_due = keeper.wake_at(self.key, due, background=background), due

    def _waited(self, due: int) -> bool:
        return any(not c.background for c in self._data.commands.values()) or self._keeper.told.awaits(
            self.key, due
        )

    def woken(self) -> None:
        """Its timer has fired."""
        self._data.timer = None

    def run(self) -> None:
        """What is ready runs, and what it has to say is passed on."""
        machine = self._touch()
        self._now = self._keeper.now
        self._show(machine)
        self._running = True
        try:
            due = machine.run(self._now)
        finally:
            self._running = False
        self._plan(due)
        while self._news:
            happened = self._news.pop(0)
            match happened[0]:
                case "exited":
                    self._exited(*happened[1:])
                case "oom":
                    self._keeper.told.out_of_memory(self.key, *happened[1:])
                case "called":
                    self._called(*happened[1:])
                case "forgotten":
                    self._forgotten(*happened[1:])
                case "resolve":
                    self._resolve(*happened[1:])
                case "taken":
                    self._touch().acked(*happened[1:])
                case "left":
                    self._touch().closed(*happened[1:])

    def _show(self, machine: Machine) -> None:
        """Volumes that show what the host knows say it as it is now."""
        volumes, first = machine.storage.volumes, self._shows is None
        if self._shows is None:
            self._shows = [name for name, record in volumes.items() if shows(record["tree"])]
        for name in self._shows:
            before = volumes[name]["tree"]
            root = shown(before, self._keeper.call)
            if first or root is not before:  # what was saved was counted as it was then
                machine.storage.show(name, root)

    # ---- containers ------------------------------------------------------------------------------------

    def start(self, container: str, setup: Setup) -> None:
        """Starts a container's main process. Raises StartError."""
        now = self._keeper.now
        registry = self._registry
        idle = waits(registry, setup.image, tuple(setup.argv)) and fits(registry, setup)
        if self._machine is None and self._saved is None and idle:
            self._data.containers[container] = Entry(setup, now)
            return
        machine = self._touch()
        self._data.containers[container] = Entry(setup, now)
        self._now = now
        machine.run(now, 0)
        try:
            self._spawn(machine, container)
        except FileError as error:
            del self._data.containers[container]
            raise StartError(start_error(setup.argv[0] if setup.argv else "", error)) from error

    def _spawn(self, machine: Machine, container: str) -> None:
        """Raises FileError."""
        entry = self._data.containers[container]
        setup = entry.setup
        for volume, _, sub, _ in setup.mounts:
            _make_part(machine.storage, volume, sub)
        if setup.pids == POD:
            self._pause(machine, entry.started)
        machine.add_root(
            container,
            image_tree(self._registry, setup.image),
            [
                {"at": path, "volume": volume, "sub": sub, "ro": read_only}
                for volume, path, sub, read_only in setup.mounts
                if volume in machine.storage.volumes
            ],
            read_only=setup.read_only,
            namespace=setup.pids,
            flavour=flavour(self._registry, setup.image),
            memory=setup.memory,
            millis=setup.millis,
        )
        if setup.pids == NODE:
            machine.number_from(NODE, self._keeper.first_pid(self.key) + 1)
        self._data.roots[container] = setup.image
        session = f"main/{container}"
        if setup.tty:
            machine.open_terminal(session, COLUMNS, ROWS)
            stdin: Sequence[str] = ("tty", session)
            stdout = stderr = stdin
        else:
            stdin = ("session", session) if setup.stdin else ("null",)
            stdout, stderr = ("log", "stdout"), ("log", "stderr")
        if setup.workdir != "/" and not setup.read_only:
            self._make_directory(machine, container, setup.workdir)
        entry.process = machine.spawn(
            [octets(word) for word in setup.argv],
            root=container,
            env=environment(self._registry, setup, self.hostname),
            cwd=setup.workdir,
            uid=setup.uid,
            gid=setup.gid,
            groups=setup.groups,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            tag=container,
            now=entry.started,
        )

    def _pause(self, machine: Machine, now: int) -> None:
        """The first process of the namespace that the Pod's containers share is the sandbox's own."""
        if POD in self._data.roots:
            return
        self._data.roots[POD] = SANDBOX_IMAGE
        machine.add_root(POD, image_tree(self._registry, SANDBOX_IMAGE), read_only=True, namespace=POD)
        owner = self._registry.find(SANDBOX_IMAGE)[0]
        machine.spawn(
            ["/pause"], root=POD, uid=owner.uid, gid=owner.gid, groups=(owner.gid,), tag=POD, now=now
        )

    def _make_directory(self, machine: Machine, container: str, path: str) -> None:
        """runc makes a working directory that is not there."""
        files = Files(machine.storage, container, Credentials(0, 0, (0,)), now=self._now)
        if not files.exists(path):
            files.makedirs(path)

    def running(self, container: str) -> bool:
        """Whether the container's main process is there."""
        return container in self._data.containers

    def signal(self, container: str, name: str) -> None:
        """A signal to the container's main process, from outside."""
        machine = self._touch()
        machine.signal(self._data.containers[container].process, name)

    def remove(self, container: str, volume: str) -> None:
        """The files of a container that has ended go, and a volume that was its own."""
        self._data.volumes.pop(volume, None)
        if container in self._data.roots:
            machine = self._touch()  # of what was saved, which knows that root
            del self._data.roots[container]
            machine.remove_root(container)
            machine.storage.remove_volume(volume)

    def _exited(self, process: int, status: int) -> None:
        """A process that was started from outside has ended."""
        data = self._data
        for name, entry in data.containers.items():
            if entry.process == process:
                self._main_ended(name, status)
                return
        waited = data.timer is not None and self._waited(data.timer_due)
        self.commands.exited(process, status)
        if waited and not self._waited(data.timer_due):
            # What was waited for while the command ran is only upkeep from now on.
            self._keeper.cancel(data.timer)
            data.timer, due = None, data.timer_due
            self._plan(due)

    def _main_ended(self, container: str, status: int) -> None:
        """Nothing of a container outlives its main process."""
        data = self._data
        data.containers.pop(container)
        self._touch().kill_all(container)
        self.commands.detach(container, status)
        self._keeper.told.exited(self.key, container, status)

    # ---- files -----------------------------------------------------------------------------------------

    def set_volume(self, name: str, root: Node, limit: int = 0) -> None:
        """Makes a volume, or gives it a new tree that containers see at once."""
        self._shows = None
        if self._machine is None and self._saved is None:
            self._data.volumes[name] = root
            if limit:
                self._data.limits[name] = limit
        else:
            self._touch().set_volume(name, filled(root, self._keeper.call), limit)

    def volume(self, name: str) -> Node | None:
        """A volume's tree, its derived files empty; None when there is none. Runs nothing."""
        if self._machine is None and self._saved is None:
            return self._data.volumes.get(name)
        found = self._peek().storage.volumes.get(name)
        return emptied(found["tree"]) if found is not None else None

    def files(self, name: str) -> Node | None:
        """A volume's tree with every file under each of its names, fit for another machine. Runs nothing."""
        if self._machine is None and self._saved is None:
            return self._data.volumes.get(name)
        found = self._peek().storage.volumes.get(name)
        return tree.resolved(found["tree"], found["inodes"]) if found is not None else None

    def mounts(self, container: str) -> Sequence[tuple[str, str, str, bool]]:
        """(volume, path, part, whether it is read-only) of a container's mounts."""
        return self._data.containers[container].setup.mounts

    def read_file(self, container: str, path: str) -> str | None:
        """A file's byte text; None when there is none. Runs nothing."""
        if self._machine is None and self._saved is None:
            return None
        machine = self._peek()
        return machine.read_file(container, path) if container in machine.storage.roots else None

    def update(self, container: str, memory: int, millis: int) -> None:
        """Other limits for a container: bytes, thousandths of a processor; 0 for none."""
        entry = self._data.containers[container]
        setup = replace(entry.setup, memory=memory, millis=millis)
        self._data.containers[container] = replace(entry, setup=setup)
        if self._machine is not None or self._saved is not None:
            self._touch().limit(container, memory, millis, self._keeper.now)

    def usage(self, container: str, now: int) -> tuple[int, int] | None:
        """(µs of processors, bytes held) of a container at ``now``; None: no machine was made yet. Runs nothing."""
        if self._machine is None and self._saved is None:
            return None
        used = self._peek().usage(container, now)
        return used["cpu"], used["memory"]

    def _peek(self) -> Machine:
        """The machine, to look at."""
        if self._machine is None:
            self._make().load(unpacked(self._registry, self._saved, self._data.roots, self._keeper.call))
        assert self._machine is not None
        return self._machine

    def listed(self, first: int) -> list[dict[str, Any]]:
        """Its processes as its node numbers them: pause is the first. Runs nothing."""
        pause = _row(first, ["/pause"], "", 0) if first else None
        rows = [pause] if pause is not None else []
        if self._machine is None and self._saved is None:
            waiting = enumerate(self._data.containers.items(), first + 1)
            return [*rows, *(_row(at, c.setup.argv, name, c.started) for at, (name, c) in waiting)]
        return [*rows, *self._peek().listed(first, PIDS, (NODE, HOST))]

    def listening(self) -> list[tuple[str, str, int, str]]:
        """(protocol, address, port, program) of who listens here; "": at any address. Runs nothing."""
        setups = [entry.setup for entry in self._data.containers.values()]
        registry = self._registry
        waiting = (setup for setup in setups if waits(registry, setup.image, tuple(setup.argv)))
        found = [row for setup in waiting for row in offered(registry, setup)]
        if self._machine is None and self._saved is None:
            return found
        told = {(protocol, port) for protocol, _, port, _ in found}
        return [*found, *(row for row in self._peek().listening() if (row[0], row[2]) not in told)]

    # ---- what the machine says (MachineHost) -----------------------------------------------------------

    def others(self, namespace: str) -> list[dict[str, Any]]:
        """A node's own machine, and who shares the processes of its node, see what else runs there."""
        if namespace not in (NODE, HOST):
            return []
        own = [] if namespace == HOST else [_row(self._keeper.first_pid(self.key), ["/pause"], "", 0)]
        return [*own, *(self._keeper.call("node-processes", [self.node, self.key]) or [])]

    def exited(self, process: int, status: int) -> None:
        self._news.append(("exited", process, status))

    def out_of_memory(self, root: str) -> None:
        self._news.append(("oom", root))

    def log(self, tag: str, stream: str, text: str) -> None:
        self._keeper.told.log(self.key, tag, self._now, stream, text)
        self.commands.follow(tag, 2 if stream == "stderr" else 1, text)

    def output(self, session: str, fd: int, text: str) -> None:
        if session.startswith("main/"):
            self.log(session.removeprefix("main/"), "stdout", text)
            return
        self.commands.output(session, fd, text)

    def ended(self, session: str, status: int) -> None:
        """``exited`` has told it."""

    def call(self, call: str, name: str, args: Any) -> None:
        self._news.append(("called", call, name, args))

    def _called(self, call: str, name: str, args: Any) -> None:
        answer = self._keeper.call(name, args)
        if isinstance(answer, dict) and "later" in answer:
            topic = answer["topic"]
            timer = self._keeper.waits_until(self.key, call, topic, answer["due"])
            self._data.waits[call] = [name, answer["later"], topic, timer]
        else:
            self._touch().answer(call, answer)

    def topics(self) -> set[str]:
        """Of what somebody here waits to hear."""
        return {topic for _, _, topic, _ in self._data.waits.values() if topic}

    def hear(self, topic: str, since: int) -> None:
        """Something has changed after that revision."""
        for call, (name, args, of, timer) in list(self._data.waits.items()):
            answer = self._keeper.call(name, [*args, since]) if of == topic else {}
            if isinstance(answer, list):
                del self._data.waits[call]
                self._keeper.cancel(timer)
                self._touch().answer(call, answer)

    def waited_for(self, call: str) -> None:
        """Clock event: the time of a call that waits is over, or it looks by itself."""
        name, args, *_ = self._data.waits.pop(call)
        self._called(call, name, [*args, None])

    def tell(self, call: str, data: Any) -> None:
        """The program waits no more; all else is answered at once."""
        self._news.append(("forgotten", call))

    def _forgotten(self, call: str) -> None:
        self.drop(call)
        self._touch().answer(call, None)

    def drop(self, call: str) -> None:
        """Who has asked has ended."""
        waits = self._data.waits.pop(call, None)
        if waits is not None:
            self._keeper.cancel(waits[3])

    def resolve(self, call: str, root: str, name: str) -> None:
        self._news.append(("resolve", call, root, name))

    def _resolve(self, call: str, root: str, name: str) -> None:
        machine = self._touch()
        hosts, conf = (machine.read_file(root, f"/etc/{file}") or "" for file in ("hosts", "resolv.conf"))
        self._lookups.begin(call, name, hosts, conf)

    def _resolved(self, call: str, found: Found) -> None:
        self._touch().resolved(call, found)

    def unanswered(self, call: str) -> None:
        """Clock event: a name server did not answer in time."""
        self._lookups.unanswered(call)

    def connect(self, sock: str, ip: str, port: int) -> None:
        self._keeper.network.connect(self.key, sock, ip, port)

    def send(self, sock: str, text: str) -> None:
        if sock in self._data.forwards:
            self.forwards.wrote(sock, text)
            self._news.append(("taken", sock, len(text)))
        else:
            self._keeper.network.send(self.key, sock, text)

    def shutdown(self, sock: str) -> None:
        if sock in self._data.forwards:
            self.forwards.ended(sock)
            self._news.append(("left", sock))
        else:
            self._keeper.network.shutdown(self.key, sock)

    def close(self, sock: str) -> None:
        if sock in self._data.forwards:
            self.forwards.ended(sock)
        else:
            self._keeper.network.close(self.key, sock)

    def took(self, sock: str, count: int) -> None:
        if sock in self._data.forwards:
            self.forwards.took(sock, count)
        else:
            self._keeper.network.took(self.key, sock, count)

    def datagram(self, port: int, ip: str, to_port: int, data: str) -> None:
        self._keeper.network.datagram(self.key, port, ip, to_port, data)

    # ---- what the network brings (network.Hosts) -------------------------------------------------------

    def accept(self, port: int, ip: str, peer_ip: str, peer_port: int) -> str | None:
        """A connection; who only waits is asked when the port is one of its image's."""
        if self._machine is None and self._saved is None and not self._offers(port):
            return None
        machine = self._touch()
        return machine.accept(port, ip, peer_ip, peer_port)

    def _offers(self, port: int) -> bool:
        return any(
            port in self._registry.find(c.setup.image)[0].ports for c in self._data.containers.values()
        )

    def connected(self, sock: str) -> None:
        self._touch().connected(sock)

    def failed(self, sock: str, reason: str) -> None:
        self._touch().failed(sock, reason)

    def received(self, sock: str, data: str) -> None:
        self._touch().received(sock, data)

    def closed(self, sock: str) -> None:
        self._touch().closed(sock)

    def acked(self, sock: str, count: int) -> None:
        self._touch().acked(sock, count)

    def datagram_in(self, port: int, peer_ip: str, peer_port: int, data: str) -> bool:
        if port == RESOLVER_PORT:
            return self._lookups.answered(data)
        if self._machine is None and self._saved is None and not self._offers(port):
            return False
        return self._touch().datagram_in(port, peer_ip, peer_port, data)

    # ---- the end, saving -------------------------------------------------------------------------------

    def stop(self) -> None:
        """Nothing of it runs any more."""
        data, keeper = self._data, self._keeper
        keeper.cancel(data.timer)
        data.timer = None
        self._lookups.stop()
        self.commands.stop()
        self.forwards.stop()

    def waiting(self, container: str) -> bool:
        """Whether the container only waits to be asked: it has not run at all."""
        entry = self._data.containers.get(container)
        return entry is not None and not entry.process

    def imagined(self, keeper: Keeper) -> int | None:
        """Goes through what the containers would have done by now had somebody asked; ``keeper`` is told of it.
        When they would do something more (µs).

        This sandbox is not changed: whoever only looks changes nothing.
        """
        other = Sandbox(
            keeper,
            self.key,
            hostname=self.hostname,
            ip=self.ip,
            node=self.node,
            volumes=self._data.volumes,
            limits=self._data.limits,
        )
        for name, each in self._data.containers.items():
            other._data.containers[name] = Entry(each.setup, each.started)
        return other._touch().run(keeper.now, 0)

    def print(self) -> str:
        """A digest of all that decides how the sandbox goes on; not of what only counts what it did."""
        state = self.state()
        machine = state.pop("machine")
        state.pop("timer")
        if machine is not None:
            inner = {n: v for n, v in machine["machine"].items() if n not in ("now", "next", "totals")}
            inner["procs"] = {
                pid: {n: v for n, v in proc.items() if n not in ("cpu", "since")}
                for pid, proc in inner["procs"].items()
            }
            state["machine"] = {**machine, "machine": inner}
        return hashlib.blake2b(pack_state(state, sort_keys=True), digest_size=8).hexdigest()

    def state(self) -> dict[str, Any]:
        """JSON data; what did not change since the last time is the same object."""
        if self._saved is None and self._machine is not None:
            self._saved = packed(self._registry, self._machine.state(), self._data.roots)
        return {
            "hostname": self.hostname,
            "ip": self.ip,
            "node": self.node,
            **self._data.state(),
            "lookups": self._lookups.state(),
            "machine": self._saved,
        }

    @classmethod
    def load(cls, keeper: Keeper, key: str, state: dict[str, Any]) -> Sandbox:
        """The sandbox that ``state`` gave."""
        names = {name: state[name] for name in ("hostname", "ip", "node", "limits")}
        volumes = {name: restored(keeper.registry, node) for name, node in state["volumes"].items()}
        sandbox = cls(keeper, key, volumes=volumes, **names)
        sandbox._data.load(state)
        sandbox._lookups.load(state["lookups"])
        sandbox._saved = state["machine"]
        return sandbox


def _row(pid: int, argv: Sequence[str], container: str, started: int) -> dict[str, Any]:
    """A process that only waits, as ``Sys.processes`` has it."""
    return {
        "pid": pid,
        "ppid": 1,
        "uid": 0,
        "argv": [octets(word) for word in argv],
        "state": "S",
        "container": container,
        "started": started,
        "cpu": 0,
    }


def _make_part(storage: Storage, volume: str, sub: str) -> None:
    """A part of a volume that is not there becomes a directory (subpath.SafeMakeDir)."""
    names = [name for name in sub.split("/") if name not in ("", ".")]
    for depth in range(1, len(names) + 1):
        if volume in storage.volumes and storage.node(volume, names[:depth]) is None:
            storage.add(volume, names[:depth], tree.directory(mode=0o777), 0)
