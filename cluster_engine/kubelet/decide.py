"""What is to be done about a Pod, from what is known of it. Pure: the workers do it and ask again.

Models pkg/kubelet/pod_workers.go (which of sync, terminating, terminated), kubelet.go (SyncPod) and
kuberuntime_manager.go (computePodActions, computeInitContainerActions, doBackOff), with the order of ends of
kuberuntime_termination_order.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.container_runtime.container import EXITED, RUNNING, Container
from cluster_engine.kubelet.record import (
    FINISHED,
    LOST,
    NEW,
    PREEMPTED,
    SHUTDOWN,
    SYNCING,
    TERMINATING,
    TURN,
    WAITED,
    PodRecord,
    changed,
    field_path,
    is_sidecar,
    pod_text,
    restarts,
    restarts_all,
)
from cluster_engine.kubelet.resizing import needs_restart
from cluster_engine.kubelet.status import is_started, phase, probe_result
from cluster_engine.sim import SECOND

INITIAL_BACKOFF = 10 * SECOND
MAX_BACKOFF = 300 * SECOND
MINIMUM_GRACE = 2
"""Seconds that a container gets after SIGTERM, whatever is left (minimumGracePeriodInSeconds)."""
EVICTION_GRACE = 1
"""Seconds that an evicted Pod has (immediateEvictionGracePeriodSeconds)."""
DEADLINE = ("DeadlineExceeded", "Pod was active on the node longer than the specified deadline")


@dataclass(frozen=True, slots=True)
class Admit:
    """The Pod is new here: its start is noted and told, then its volumes and its sandbox are made."""


@dataclass(frozen=True, slots=True)
class WriteStatus:
    """The status is written, if it differs."""


@dataclass(frozen=True, slots=True)
class Wait:
    """A pass is under way: what has happened meanwhile is looked at, and told, when it ends."""


@dataclass(frozen=True, slots=True)
class Start:
    """A container is to be started."""

    name: str
    backoff: int
    """How long it waits after its next end, µs; 0 for the first start."""


@dataclass(frozen=True, slots=True)
class Postpone:
    """A container is to be started, but not before ``until`` (µs)."""

    name: str
    until: int
    message: str


@dataclass(frozen=True, slots=True)
class Kill:
    """A container of a Pod that goes on is stopped within ``seconds``."""

    name: str
    seconds: int
    message: str


@dataclass(frozen=True, slots=True)
class Clear:
    """All containers have ended for the whole Pod to begin anew: they are removed."""


@dataclass(frozen=True, slots=True)
class Fail:
    """The kubelet ends the Pod."""

    reason: str
    message: str
    kind: str = "Normal"
    """Of the event that tells of it."""


@dataclass(frozen=True, slots=True)
class Terminate:
    """Nothing of the Pod is started any more; what runs is stopped within ``seconds``."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Hurry:
    """The Pod was deleted again with less patience: ``seconds`` from now."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Stop:
    """A container's end begins: it is told, and its preStop hook runs."""

    name: str
    seconds: int


@dataclass(frozen=True, slots=True)
class AwaitTurn:
    """A sidecar waits for those that end before it, at most ``seconds``."""

    name: str
    seconds: int


@dataclass(frozen=True, slots=True)
class Signal:
    """SIGTERM, and SIGKILL ``seconds`` later."""

    name: str
    seconds: int


@dataclass(frozen=True, slots=True)
class Finish:
    """Nothing of the Pod runs any more: the sandbox goes, then the last status is written."""


@dataclass(frozen=True, slots=True)
class Close:
    """All containers have ended by themselves: the last status is written."""


@dataclass(frozen=True, slots=True)
class Remove:
    """The API object is deleted."""


@dataclass(frozen=True, slots=True)
class Forget:
    """Nothing is left to do and nobody to tell."""


@dataclass(frozen=True, slots=True)
class Mirror:
    """A static Pod's mirror is gone: another one is made."""


Action = (
    Admit
    | WriteStatus
    | Wait
    | Start
    | Postpone
    | Kill
    | Clear
    | Fail
    | Terminate
    | Hurry
    | Stop
    | AwaitTurn
    | Signal
    | Finish
    | Close
    | Remove
    | Forget
    | Mirror
)


def decide(record: PodRecord, pod: JSON | None, now: int) -> tuple[Action, ...]:
    """What to do now, in order; () when there is nothing. ``pod`` is None when its API object is gone."""
    if pod is None:
        return _orphaned(record, now)
    deleted = pod["metadata"].get("deletionTimestamp") is not None
    if record.gone:
        return _without_file(record, pod, now)
    if deleted and record.static:
        return (Remove(),)
    if record.state == FINISHED:
        return (WriteStatus(), Remove()) if deleted else (WriteStatus(),)
    if record.state == LOST:
        return ()
    if record.state == TERMINATING:
        return (*_patience(record, pod, now), *_stops(record, pod, now, record.grace))
    if deleted:
        return _end(record, pod, now, _grace(pod))
    if not record.started:
        return (Admit(),)
    seconds = pod["spec"].get("activeDeadlineSeconds")
    if seconds and now >= record.started + seconds * SECOND:
        return (Fail(*DEADLINE), WriteStatus(), *_end(record, pod, now, _grace(pod)))
    if record.shutdown:
        grace = min(_grace(pod), record.shutdown)
        return (Fail(*SHUTDOWN, ""), WriteStatus(), *_end(record, pod, now, grace))
    if record.evicted:
        preempted = record.evicted == PREEMPTED
        fail = Fail("Preempting" if preempted else "Evicted", record.evicted, "Warning")
        grace = _grace(pod) if preempted else EVICTION_GRACE
        return (fail, WriteStatus(), *_end(record, pod, now, grace))
    if record.state == NEW:
        # Volumes and sandbox, or its refusal, are on their way, unless it ended for good while its node was off.
        over = bool(record.containers) and record.counted and _ended(record, pod)
        return (Close(), WriteStatus()) if over else ()
    return _sync(record, pod, now)


def _orphaned(record: PodRecord, now: int) -> tuple[Action, ...]:
    if record.static and not record.gone:
        return (Mirror(),)
    if record.state in (NEW, FINISHED) or not record.running():
        return (Forget(),)
    if record.state == TERMINATING:
        return tuple(_stops(record, None, now, record.grace))
    return _end(record, None, now, record.grace)


def _without_file(record: PodRecord, pod: JSON, now: int) -> tuple[Action, ...]:
    """A static Pod ends when its file goes; its mirror goes last."""
    if record.state == TERMINATING:
        return tuple(_stops(record, pod, now, record.grace))
    if record.state == SYNCING:
        return _end(record, pod, now, record.grace)
    return (Remove(),)


def _grace(pod: JSON) -> int:
    """The seconds that the Pod's containers have (setTerminationGracePeriod)."""
    found = pod["metadata"].get("deletionGracePeriodSeconds")
    if found is None:
        found = pod["spec"].get("terminationGracePeriodSeconds", 30)
    return int(found)


# ---- a Pod that goes on --------------------------------------------------------------------------------


def _sync(record: PodRecord, pod: JSON, now: int) -> tuple[Action, ...]:
    if record.working:
        return (Wait(),)
    if restarts_all(record, pod):
        return (WriteStatus(), *_resets(record, pod))
    if _ended(record, pod):
        if record.running():  # sidecars
            return _end(record, pod, now, _grace(pod))
        return (Close(), WriteStatus())
    return (WriteStatus(), *_kills(record, pod), *_starts(record, pod, now))


def _resets(record: PodRecord, pod: JSON) -> Iterator[Action]:
    """All but ephemeral containers end, at once and without their hooks, and are removed (getContainersToReset)."""
    names = [c["name"] for kind in ("initContainers", "containers") for c in pod["spec"].get(kind) or ()]
    running = [
        name for name in names if name in record.containers and record.containers[name].state == RUNNING
    ]
    if not running:
        yield Clear()
    for name in running:
        if name not in record.stopping:
            yield Kill(name, 0, f"Stopping container {name}")


def _ended(record: PodRecord, pod: JSON) -> bool:
    """Whether the Pod has Succeeded or Failed by itself."""
    for regular in pod["spec"]["containers"]:
        container = record.containers.get(regular["name"])
        if container is not None and container.state != EXITED:
            return False
    return phase(record, pod, False) in ("Succeeded", "Failed")


def _kills(record: PodRecord, pod: JSON) -> Iterator[Action]:
    """Containers whose probe failed, or whose image is another one now."""
    spec = pod["spec"]
    for init in spec.get("initContainers") or ():
        if is_sidecar(init):
            yield from _kill(record, spec, init, "Init container", "")
    ending = "" if spec.get("restartPolicy") == "Never" else ", will be restarted"
    for regular in spec["containers"]:
        yield from _kill(record, spec, regular, "Container", ending)


def _kill(record: PodRecord, spec: JSON, container: JSON, title: str, ending: str) -> Iterator[Action]:
    name = container["name"]
    running = record.containers.get(name)
    if running is None or running.state != RUNNING or name in record.stopping:
        return
    seconds = spec.get("terminationGracePeriodSeconds", 30)
    if needs_restart(container, running):
        yield Kill(name, seconds, f"Container {name} resize requires restart")
        return
    if changed(container, running):
        # Whatever the restart policy is.
        yield Kill(name, seconds, f"Container {name} definition changed, will be restarted")
        return
    for kind in ("liveness", "startup"):
        if probe_result(record, name, kind) is False:
            own = (container.get(f"{kind}Probe") or {}).get("terminationGracePeriodSeconds")
            message = f"{title} {name} failed {kind} probe{ending}"
            yield Kill(name, seconds if own is None else own, message)
            return


def _starts(record: PodRecord, pod: JSON, now: int) -> Iterator[Action]:
    """The containers to start now, in order; those in back-off are postponed."""
    spec = pod["spec"]
    for ephemeral in spec.get("ephemeralContainers") or ():
        if ephemeral["name"] not in record.containers:  # never a second time
            yield Start(ephemeral["name"], 0)
    here = {name: c for name, c in record.containers.items() if c.created_at >= record.sandbox_at}
    """Those of this sandbox: in another one all init containers run again."""
    regular_ran = any(c["name"] in here for c in spec["containers"])
    for init in spec.get("initContainers") or ():
        container = here.get(init["name"])
        if is_sidecar(init):
            if container is None or container.state == EXITED:
                yield from _start(record, pod, init, container, now)
                if not regular_ran:
                    return
            elif not regular_ran and not is_started(record, init):
                return
            continue
        if regular_ran or (container is not None and container.state == EXITED and container.exit_code == 0):
            continue
        if container is None or container.state == EXITED:
            yield from _start(record, pod, init, container, now)
        return
    for regular in spec["containers"]:
        container = record.containers.get(regular["name"])
        if container is None or container.state == EXITED:
            yield from _start(record, pod, regular, container, now)


def _start(record: PodRecord, pod: JSON, spec: JSON, last: Container | None, now: int) -> Iterator[Action]:
    """Starts it if the restart policy wants that and no back-off forbids it."""
    name = spec["name"]
    if last is None:
        yield Start(name, 0)
        return
    if not restarts(pod["spec"], spec, last):
        return
    entry = record.crashes.get(name)
    if entry is None or last.finished_at - entry[1] > 2 * MAX_BACKOFF:
        yield Start(name, INITIAL_BACKOFF)
    elif now - last.finished_at < entry[0]:
        seconds = entry[0] // SECOND
        delay = f"{seconds // 60}m{seconds % 60}s" if seconds >= 60 else f"{seconds}s"
        message = f"back-off {delay} restarting failed container={name} pod={pod_text(pod)}"
        # As upstream: from now on, not from the container's end.
        yield Postpone(name, now + entry[0], message)
    else:
        yield Start(name, min(entry[0] * 2, MAX_BACKOFF))


# ---- a Pod that ends -----------------------------------------------------------------------------------


def _end(record: PodRecord, pod: JSON | None, now: int, grace: int) -> tuple[Action, ...]:
    return (Terminate(grace), *_stops(record, pod, now, grace))


def _patience(record: PodRecord, pod: JSON, now: int) -> Iterator[Action]:
    grace = pod["metadata"].get("deletionGracePeriodSeconds")
    if grace is not None and now + max(grace, 1) * SECOND < record.kill_at:
        yield Hurry(max(grace, 1))


def _stops(record: PodRecord, pod: JSON | None, now: int, grace: int) -> Iterator[Action]:
    """Each container's end: hook, turn, signal. Regular ones have no turn to wait for."""
    running = [c.name for c in record.running()]
    if not running:
        if "finish" not in record.timers:
            yield Finish()
        return
    order = Order(pod["spec"] if pod is not None else {}, running)
    for name in running:
        known = record.stopping.get(name)
        if known is None:
            yield Stop(name, grace)
            if grace > 0 and order.has_hook(name):
                continue
            step, since, left = WAITED, now, grace
        else:
            step, since, left = known
        left -= (now - since) // SECOND
        if step not in (WAITED, TURN):
            continue
        if left <= 0 or order.turn(name):
            yield Signal(name, max(left, MINIMUM_GRACE))
        elif step == WAITED:
            yield AwaitTurn(name, left)


class Order:
    """Who ends before whom: regular containers, then the sidecars, the last one first."""

    def __init__(self, spec: JSON, running: list[str]) -> None:
        self._running = frozenset(running)
        self._regular = [c["name"] for c in spec.get("containers") or ()]
        self._sidecars = [c["name"] for c in spec.get("initContainers") or () if is_sidecar(c)]
        hooked = (*(spec.get("containers") or ()), *(spec.get("initContainers") or ()))
        self._hooks = {c["name"] for c in hooked if (c.get("lifecycle") or {}).get("preStop")}

    def has_hook(self, name: str) -> bool:
        """Whether it has a preStop hook."""
        return name in self._hooks

    def turn(self, name: str) -> bool:
        """Whether nothing that has to end before it still runs."""
        if name not in self._sidecars:
            return True
        later = self._sidecars[self._sidecars.index(name) + 1 :]
        return not any(other in self._running for other in (*self._regular, *later))


def backoff_event(pod: JSON, name: str) -> tuple[str, str]:
    """(message, field path) of the event about a restart that waits."""
    text = f"Back-off restarting failed container {name} in pod {pod_text(pod)}"
    return text, field_path(pod["spec"], name)
