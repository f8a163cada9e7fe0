"""All sandboxes of a cluster: the clock events that wake them, and what they need of the world around.

A session (a command that somebody outside follows, or an attachment) is told of in the moment of it: what it writes is
kept by nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from cluster_engine.container_runtime.keeper import Told
from cluster_engine.container_runtime.registry import BUILT_IN, Registry
from cluster_engine.container_runtime.sandbox import PIDS, Sandbox
from cluster_engine.linux.files.tree import Node
from cluster_engine.network import REPLY_LIMIT, Network
from cluster_engine.sim import Chance, Clock

TURNS = 256
"""Turns of sandboxes in one clock event; then others have theirs, in the same instant."""
FIRST_PID, MACHINES = 1_000, 4_000
"""Numbers of processes on a node: where those of Pods begin, and how many Pods can have others (PIDS each)."""
PATIENCE = 1.0
"""Virtual seconds until a sandbox that failed by a bug runs again."""

Calls = Mapping[str, Callable[[Any], Any]]
"""What programs may ask the host for (``Sys.call``): name -> answer."""


class Sandboxes:
    """One cluster's. What a fork holds too is copied when one side works with it. ``Hosts`` of the kind ``pod``."""

    def __init__(
        self,
        clock: Clock,
        chance: Chance,
        network: Network,
        told: Told,
        calls: Calls,
        registry: Registry = BUILT_IN,
    ) -> None:
        self.network = network
        self.registry = registry
        self.told = told
        self._clock = clock
        self._chance = chance
        self._calls = calls
        self._sandboxes: dict[str, Sandbox] = {}
        self._shared: set[str] = set()  # keys of those that a fork holds too; never iterated
        self.touches: dict[str, int] = {}
        """How often each was worked with."""
        self.resting: set[str] = set()
        """Keys of those whose probes rest; never iterated. ``disturbed`` is told before one is worked with."""
        self.disturbed: Callable[[str], None] = self.resting.discard
        self.mounted: set[str] = set()
        """Keys of those that have volumes which outlive them; never iterated. ``written`` is told after their turns."""
        self.written: Callable[[str], None] = self.mounted.discard
        network.kinds["pod"] = self
        self._ready: dict[str, None] = {}
        self._pumping = False
        self._turning: list[str] = []
        """Keys of those whose turn it is, the outer one first: one of them may have led to a webhook that is asked."""
        self._pump_timer: int | None = None
        network.deliveries.afterwards = self._go_on
        clock.register("sandbox/wake", self._wake)
        clock.register("sandbox/ready", self._pump)
        clock.register("sandbox/unanswered", self._unanswered)
        clock.register("sandbox/time-out", self._time_out)
        clock.register("sandbox/waited", self._waited_for)
        clock.register("sandbox/news", self._hear)
        self._waiting: dict[str, set[str]] = {}
        """Topic -> keys of those in which somebody waits to hear of it. It follows from them."""
        self._followed: set[str] = set()
        """Topics of whose changes the host tells; never iterated."""
        self._telling: dict[str, int] = {}
        """Topic -> the revision before the first change that nobody has heard of yet."""

    def get(self, key: str) -> Sandbox:
        """A Pod's sandbox, ours alone. Raises KeyError."""
        if key in self.resting:
            self.resting.discard(key)
            self.disturbed(key)
        self.touches[key] = self.touches.get(key, 0) + 1
        sandbox = self._sandboxes[key]
        if key in self._shared:
            self._shared.discard(key)
            sandbox = self._sandboxes[key] = Sandbox.load(self, key, sandbox.state())
        return sandbox

    def look(self, key: str) -> Sandbox:
        """A Pod's sandbox, only to look at. Raises KeyError."""
        return self._sandboxes[key]

    def has(self, key: str) -> bool:
        """Whether there is a sandbox of that key."""
        return key in self._sandboxes

    def add(
        self, key: str, *, hostname: str, ip: str, node: str, volumes: dict[str, Node], limits: dict[str, int]
    ) -> Sandbox:
        """A new sandbox, reachable at its address."""
        sandbox = Sandbox(self, key, hostname=hostname, ip=ip, node=node, volumes=volumes, limits=limits)
        self._sandboxes[key] = sandbox
        self.network.attach(key, ip, node, "pod")
        return sandbox

    def stop(self, key: str) -> None:
        """Nothing runs in it any more, and nobody has its address."""
        if key in self._sandboxes:
            self.get(key).stop()
            self.network.detach(key)

    def remove(self, key: str) -> None:
        """Its files go too."""
        self.stop(key)
        self._sandboxes.pop(key, None)
        self._shared.discard(key)
        self.resting.discard(key)
        self.mounted.discard(key)
        self.touches.pop(key, None)

    # ---- clock events ----------------------------------------------------------------------------------

    def _wake(self, key: str) -> None:
        """Clock event: a sandbox wanted to run now."""
        if key in self._sandboxes:
            self.get(key).woken()
            self._ready[key] = None
            self._go_on()

    def _pump(self) -> None:
        """Clock event: somebody is ready."""
        self._pump_timer = None
        self._go_on()

    def _go_on(self) -> None:
        """Runs who is ready. What they send arrives in this very instant, where nothing lies between, and so on."""
        if self._pumping or not self._ready:
            return
        self._pumping = True
        self.network.deliveries.hold()
        try:
            for _ in range(TURNS):
                if not self._ready:
                    break
                key = next(iter(self._ready))
                del self._ready[key]
                if key in self._sandboxes:
                    self._turn(key)
                    self.network.deliveries.deliver()
                    if key in self._ready:
                        break  # it computes: the rest in an event of its own, for the host has others too
        finally:
            self._pumping = False
            self.network.deliveries.release()
            self._plan_pump()

    def converse(self, enough: Callable[[], bool]) -> None:
        """Within a step of somebody else: what was sent arrives, and who gets it has turns, until that is enough or
        nobody has anything more to do in this instant. Who was ready before, or is in his turn, waits for it.
        """
        waiting, self._ready = self._ready, {}
        outer, self._pumping = self._pumping, True
        deliveries = self.network.deliveries
        held = deliveries.hold()
        try:
            for _ in range(TURNS):
                deliveries.deliver()
                key = next((key for key in self._ready if key not in self._turning), "")
                if enough() or not key:
                    break
                del self._ready[key]
                if key in self._sandboxes:
                    self._turn(key)
        finally:
            self._ready = {**waiting, **self._ready}
            self._pumping = outer
            if not held:
                deliveries.release()
            self._plan_pump()

    def _turn(self, key: str) -> None:
        self._turning.append(key)
        try:
            self.get(key).run()
            if key in self.mounted:
                self.written(key)
        except BaseException:
            # A bug costs this Pod a pause, not the others their turn.
            self._clock.call_later(PATIENCE, "sandbox/wake", key, background=True)
            raise
        finally:
            self._turning.pop()

    def _plan_pump(self) -> None:
        if self._ready and self._pump_timer is None and not self._pumping:
            self._pump_timer = self._clock.call_at(self._clock.now, "sandbox/ready")

    def _unanswered(self, key: str, call: str) -> None:
        if key in self._sandboxes:
            self.get(key).unanswered(call)

    def _time_out(self, key: str, name: str) -> None:
        if key in self._sandboxes:
            self.get(key).commands.time_out(name)

    def _waited_for(self, key: str, call: str) -> None:
        if key in self._sandboxes:
            self.get(key).waited_for(call)

    def waits_until(self, key: str, call: str, topic: str, due: int) -> int:
        """Somebody in a sandbox waits to hear of a topic; the timer of when he asks at the latest."""
        if topic:
            self._wait(key, topic)
        return self._clock.call_at(due, "sandbox/waited", key, call, background=True)

    def _wait(self, key: str, topic: str) -> None:
        self._waiting.setdefault(topic, set()).add(key)
        if topic not in self._followed:
            self._followed.add(topic)
            self.call("follow", [topic, partial(self._came, topic)])

    def _came(self, topic: str, revision: int) -> None:
        """Of a topic there is something new: who waits hears of it in this instant, when all of it is written."""
        if self._waiting.get(topic) and topic not in self._telling:
            self._telling[topic] = revision - 1
            self._clock.call_at(self._clock.now, "sandbox/news", topic)

    def _hear(self, topic: str) -> None:
        """Clock event: somebody waits for what has come."""
        since = self._telling.pop(topic, None)
        for key in sorted(self._waiting.get(topic, ())):
            waits = key in self._sandboxes and topic in self._sandboxes[key].topics()
            if waits and since is not None:
                self.get(key).hear(topic, since)
            elif not waits:
                self._waiting[topic].discard(key)

    def _find_waiting(self) -> None:
        """Who waits for what, of all sandboxes that were taken over."""
        self._waiting = {}
        for key, sandbox in self._sandboxes.items():
            for topic in sandbox.topics():
                self._wait(key, topic)

    # ---- what the network brings (network.Hosts) -------------------------------------------------------

    def accept(self, key: str, port: int, ip: str, peer_ip: str, peer_port: int) -> str | None:
        """A connection request for a Pod."""
        return self.get(key).accept(port, ip, peer_ip, peer_port)

    def connected(self, key: str, sock: str) -> None:
        """A Pod's connection stands."""
        self.get(key).connected(sock)

    def failed(self, key: str, sock: str, reason: str) -> None:
        """It does not, or no more."""
        self.get(key).failed(sock, reason)

    def received(self, key: str, sock: str, data: str) -> None:
        """Byte text for a Pod."""
        self.get(key).received(sock, data)

    def closed(self, key: str, sock: str) -> None:
        """A Pod's peer will send nothing more."""
        self.get(key).closed(sock)

    def acked(self, key: str, sock: str, count: int) -> None:
        """A Pod's peer has taken so many bytes."""
        self.get(key).acked(sock, count)

    def datagram_in(self, key: str, port: int, peer_ip: str, peer_port: int, data: str) -> bool:
        """A datagram for a Pod."""
        return self.get(key).datagram_in(port, peer_ip, peer_port, data)

    # ---- for sandboxes ---------------------------------------------------------------------------------

    @property
    def now(self) -> int:
        """Virtual µs."""
        return self._clock.now

    def ready(self, key: str) -> None:
        """The sandbox wants to run in this instant."""
        self._ready[key] = None
        self._plan_pump()

    def wake_at(self, key: str, due: int, *, background: bool) -> int:
        """The timer that runs a sandbox then."""
        return self._clock.call_at(due, "sandbox/wake", key, background=background)

    def unanswered_at(self, key: str, call: str, due: int, *, background: bool) -> int:
        """The timer that ends the wait for a name server."""
        return self._clock.call_at(due, "sandbox/unanswered", key, call, background=background)

    def time_out_at(self, key: str, name: str, due: int, *, background: bool) -> int:
        """The timer that ends a command."""
        return self._clock.call_at(due, "sandbox/time-out", key, name, background=background)

    def faulted(self, component: str, key: str, error: Exception) -> bool:
        """Notes a bug as a failure. False: the exception must go through."""
        return self._clock.failed(component, key, error)

    def cancel(self, timer: int | None) -> None:
        """Forgets a timer."""
        self._clock.cancel(timer)

    def answer(self, then: list[Any], answer: list[Any], *, background: bool) -> None:
        """Tells whoever waits for a command, in this instant."""
        self._clock.call_at(self._clock.now, *then, answer, background=background)

    def call(self, name: str, args: Any) -> Any:
        """What a program asked the host for; None when nobody knows."""
        asked = self._calls.get(name)
        return asked(args) if asked is not None else None

    def seed(self, key: str) -> str:
        """Where a Pod's /dev/urandom begins."""
        return self._chance.of("urandom", key).hex(32)

    def first_pid(self, key: str) -> int:
        """The number on its node of a sandbox's first process; those after it follow."""
        return FIRST_PID + PIDS * (int(self._chance.of("pids", key).hex(8), 16) % MACHINES)

    def services(self, key: str) -> list[dict[str, Any]]:
        """What runs on the machine of a node; as it begins, where nobody has logged in."""
        if key in self._sandboxes:
            return self._sandboxes[key].listed(0)
        return [
            {
                "pid": at,
                "ppid": int(at > 1),
                "uid": 0,
                "argv": [path],
                "state": "S",
                "container": key,
                "started": 0,
                "cpu": 0,
            }
            for at, path in enumerate(("/sbin/init", "/usr/local/bin/containerd", "/usr/bin/kubelet"), 1)
        ]

    # ---- saving ----------------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        return {
            "ready": list(self._ready),
            "timer": self._pump_timer,
            **({"telling": dict(self._telling)} if self._telling else {}),
            "sandboxes": [
                [key, sandbox.state(), self.touches.get(key, 0)] for key, sandbox in self._sandboxes.items()
            ],
        }

    def load(self, state: dict[str, Any]) -> None:
        """Takes over what ``state`` gave."""
        self._ready, self._pump_timer = dict.fromkeys(state["ready"]), state["timer"]
        for key in list(self._sandboxes):
            self.network.detach(key)
        self._shared = set()
        self._sandboxes = {key: Sandbox.load(self, key, saved) for key, saved, _touches in state["sandboxes"]}
        self.touches = {key: touches for key, _saved, touches in state["sandboxes"]}
        self.resting.clear()
        self._telling = dict(state.get("telling", {}))
        self._find_waiting()
        for key, sandbox in self._sandboxes.items():
            self.network.attach(key, sandbox.ip, sandbox.node, "pod")

    def share(self, other: Sandboxes) -> None:
        """Takes over the sandboxes of ``other``. The network is shared by itself."""
        self._ready, self._pump_timer = other._ready.copy(), other._pump_timer
        self._sandboxes = other._sandboxes.copy()
        self._shared, other._shared = set(self._sandboxes), set(self._sandboxes)
        self.touches = other.touches.copy()
        self._telling = dict(other._telling)
        self._find_waiting()
        self.resting.update(other.resting)

    def imagine(self, key: str, container: str) -> tuple[list[tuple[int, str, str]], int | None]:
        """What a container that only waits would have written by now, as (µs, stream, byte text); and when its Pod
        would do something more (µs; None: never).
        """
        written: list[tuple[int, str, str]] = []
        due = self._sandboxes[key].imagined(_Imagination(self, container, written))
        return written, due

    def foresee(self, key: str, sock: str, within: int, enough: Callable[[str], bool]) -> str:
        """What a sandbox will write to a socket within so many µs, if nobody disturbs it, until that is enough.

        Nothing is changed by it: a copy lives ahead, in a world where nobody else is.
        """
        if key not in self._sandboxes or key in self._turning:
            return ""
        world = _Future(self, self.now)
        other = _Foreseen.load(world, key, self._sandboxes[key].state())
        assert isinstance(other, _Foreseen)
        other.wanted = sock
        other.woken()
        return other.lived(world, self.now + within, enough)

    def rehearse(
        self,
        key: str,
        ip: str,
        port: int,
        source: tuple[str, int],
        text: str,
        within: int,
        enough: Callable[[str], bool],
    ) -> tuple[str, bool] | None:
        """What a sandbox would answer to a text that came to an address and port of its own from another, as
        ``foresee``, and whether it would hang up; None when nobody listens there.
        """
        if key not in self._sandboxes:
            return None
        if key in self._turning:
            return "", False
        world = _Future(self, self.now)
        other = _Foreseen.load(world, key, self._sandboxes[key].state())
        assert isinstance(other, _Foreseen)
        sock = other.accept(port, ip, *source)
        if sock is None:
            return None
        other.wanted = sock
        other.received(sock, text)
        return other.lived(world, self.now + within, enough), other.over


class _Foreseen(Sandbox):
    """A copy of a sandbox that lives ahead: of what it sends, what goes to one socket is kept."""

    wanted = ""
    written = ""
    sent = 0
    over = False

    def lived(self, world: _Future, end: int, enough: Callable[[str], bool]) -> str:
        """What it writes to the wanted socket until that is enough, or that moment has come; "": not enough."""
        for _ in range(TURNS):
            self.run()
            if self.over or enough(self.written) or len(self.written) > REPLY_LIMIT:
                break
            if self.sent:
                # The peer reads whatever comes.
                count, self.sent = self.sent, 0
                self.acked(self.wanted, count)
            elif world.due is None or world.due > end:
                break
            else:
                world.at, world.due = max(world.at, world.due), None
        return self.written if enough(self.written) else ""

    def send(self, sock: str, text: str) -> None:
        if sock == self.wanted:
            self.written += text
            self.sent += len(text)

    def connect(self, sock: str, ip: str, port: int) -> None:
        """Nobody answers."""

    def shutdown(self, sock: str) -> None:
        """Nothing more will come, which its peer alone minds."""
        self.over = self.over or sock == self.wanted

    def close(self, sock: str) -> None:
        """The same."""
        self.shutdown(sock)

    def took(self, sock: str, count: int) -> None: ...

    def datagram(self, port: int, ip: str, to_port: int, data: str) -> None: ...


class _Imagination:
    """A world in which nothing happens but what is written down. It is keeper and told at once."""

    def __init__(self, real: Sandboxes, container: str, written: list[tuple[int, str, str]]) -> None:
        self._real = real
        self._written = written
        self._container = container

    @property
    def now(self) -> int:
        return self._real.now

    @property
    def told(self) -> _Imagination:
        return self

    @property
    def network(self) -> Network:
        """Who only waits sends nothing."""
        return self._real.network

    @property
    def registry(self) -> Registry:
        return self._real.registry

    def log(self, key: str, container: str, at: int, stream: str, text: str) -> None:
        """Keeps what the wanted container writes."""
        if container == self._container:
            self._written.append((at, stream, text))

    def exited(self, key: str, container: str, status: int) -> None:
        """Nobody is told."""

    def out_of_memory(self, key: str, container: str) -> None:
        """Who only waits has room enough."""

    def awaits(self, key: str, due: int) -> bool:
        return False

    def output(self, session: str, fd: int, text: str) -> None:
        """Nobody listens."""

    def connection_ended(self, session: str, stream: int) -> None:
        """There are no sessions."""

    def session_ended(self, session: str, status: int) -> None:
        """The same."""

    def faulted(self, component: str, key: str, error: Exception) -> bool:
        """A bug in an imagined life is its reader's."""
        return False

    def ready(self, key: str) -> None:
        """It runs by itself."""

    def wake_at(self, key: str, due: int, *, background: bool) -> int:
        return 0

    def unanswered_at(self, key: str, call: str, due: int, *, background: bool) -> int:
        return 0

    def time_out_at(self, key: str, name: str, due: int, *, background: bool) -> int:
        return 0

    def cancel(self, timer: int | None) -> None:
        """There are no timers."""

    def answer(self, then: list[Any], answer: list[Any], *, background: bool) -> None:
        """Nobody asked."""

    def call(self, name: str, args: Any) -> Any:
        return None

    def waits_until(self, key: str, call: str, topic: str, due: int) -> int:
        return 0

    def seed(self, key: str) -> str:
        return self._real.seed(key)

    def first_pid(self, key: str) -> int:
        return self._real.first_pid(key)


class _Future(_Imagination):
    """The world of a sandbox that lives ahead: its time is its own, and the host answers nothing."""

    def __init__(self, real: Sandboxes, at: int) -> None:
        super().__init__(real, "", [])
        self.at = at
        self.due: int | None = None

    @property
    def now(self) -> int:
        return self.at

    def ready(self, key: str) -> None:
        self.due = self.at

    def wake_at(self, key: str, due: int, *, background: bool) -> int:
        self.due = due if self.due is None else min(self.due, due)
        return 0

    def faulted(self, component: str, key: str, error: Exception) -> bool:
        return True
