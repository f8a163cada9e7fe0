"""What a kubelet knows of a Pod beyond the API object. JSON data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.component_helpers.restart_rules import (
    RESTART_ALL,
    action_of,
    could_restart_all,
    should_restart,
)
from cluster_engine.container_runtime.container import EXITED, Container
from cluster_engine.container_runtime.names import InvalidImageName, parse
from cluster_engine.kubelet.resizing import needs_restart
from cluster_engine.kubelet.steady import Probe

MIRROR = "kubernetes.io/config.mirror"

NEW = "new"
"""Seen; volumes and sandbox are not ready."""
SYNCING = "syncing"
"""Its containers are started and restarted."""
TERMINATING = "terminating"
"""Its containers are being stopped; none is started any more."""
LOST = "lost"
"""Its node lost power while it lived; the kubelet has not seen it since."""
FINISHED = "finished"
"""Nothing of it runs, or will."""


SHUTDOWN = ("Terminated", "Pod was terminated in response to imminent node shutdown.")
"""Reason and message of a Pod that ended because its node's machine goes down."""

ALL_RESTARTING = "AllContainersRestarting"
"""The condition of a Pod whose containers are all being ended, to begin anew."""

PREEMPTED = "Preempted in order to admit critical pod"
"""Why a Pod has to end that makes room for a critical one."""

HOOK = "hook"
"""A container's end: its preStop hook runs."""
WAITED = "waited"
"""The hook is done, or there was none."""
TURN = "turn"
"""It waits for those that end before it."""
STOPPED = "stopped"
"""It has got its signal."""


CRITICAL = 2_000_000_000
"""The priority from which on a Pod is critical (SystemCriticalPriority)."""


@dataclass(slots=True)
class PodRecord:
    """One Pod on one node. Times are virtual µs, 0 for never."""

    uid: str
    """The Pod's, or the hash of a static Pod's manifest: its containers outlive their mirror Pod."""
    key: str
    node: str
    static: bool = False
    """Whether it comes from a file of the node; its API object is a mirror."""
    state: str = NEW
    started: int = 0
    """When the kubelet saw it (status.startTime)."""
    sandbox_at: int = 0
    ip: str = ""
    """The Pod's address, once it has a sandbox."""
    epoch: int = 0
    """Steps of an earlier epoch are void."""
    working: bool = False
    again: bool = False
    quiet: bool = False
    """Its passes only try again what has failed before: nothing that ``settle`` waits for."""
    todo: list[str] = field(default_factory=list)
    """Containers to start in this pass, in order."""
    failures: list[int] = field(default_factory=list)
    """When each failure of this pass may be tried again; 0: after the usual pause."""
    timer: int | None = None
    grace: int = 30
    kill_at: int = 0
    mounts_failed: int = 0
    asked: dict[str, int] = field(default_factory=dict)
    """What it takes of its node, as integers."""
    counted: bool = False
    """Whether that counts there."""
    rejected: bool = False
    """The node did not take it."""
    evicted: str = ""
    """Why the kubelet has to end the Pod for its node's sake."""
    outcome: list[str] = field(default_factory=list)
    """[reason, message] when the kubelet itself has failed the Pod."""
    containers: dict[str, Container] = field(default_factory=dict)
    previous: dict[str, Container] = field(default_factory=dict)
    stopping: dict[str, list[Any]] = field(default_factory=dict)
    """Containers that are being stopped: [step of their end, since when (µs), seconds left then]."""
    waiting: dict[str, list[str]] = field(default_factory=dict)
    """[reason, message] of the last failure to start a container."""
    crashes: dict[str, list[int]] = field(default_factory=dict)
    """Back-off of a container's restarts, [µs, last change]."""
    pulls: dict[str, list[Any]] = field(default_factory=dict)
    """Back-off of an image's pulls, [µs, last change, last error]."""
    probes: dict[str, Probe] = field(default_factory=dict)
    """By ``container/kind``."""
    timers: dict[str, int] = field(default_factory=dict)
    """Clock events: ``deadline``, ``finish``, ``stop/name``; the runtime's ``kill/name``."""
    allocated: dict[str, JSON] = field(default_factory=dict)
    """The ``resources`` of its containers, while its spec asks for others."""
    resizing: list[str] = field(default_factory=list)
    """[reason, message] why it does not have those."""
    sandbox: bool = False
    """Whether the runtime has a sandbox of it."""
    shutdown: int = 0
    """The seconds that it has because its node's machine goes down; 0: it does not."""
    gone: bool = False
    """Whether its manifest is no more in its node's folder, or another one."""

    def running(self) -> list[Container]:
        """The containers that run."""
        return [c for c in self.containers.values() if c.state == "running"]

    def state_data(self) -> list[Any]:
        """Everything as JSON data."""
        data = {name: value for name in _PLAIN if (value := getattr(self, name)) or name not in _SELDOM}
        data["containers"] = {n: c.as_list() for n, c in self.containers.items()}
        data["previous"] = {n: c.as_list() for n, c in self.previous.items()}
        data["probes"] = {n: p.as_list() for n, p in self.probes.items()}
        # Lists of pairs: the order of dicts must survive sorted JSON.
        return [[k, list(v.items()) if isinstance(v, dict) else v] for k, v in data.items()]

    @classmethod
    def from_data(cls, data: list[Any]) -> PodRecord:
        """The record that ``state_data`` gave."""
        values = dict(data)
        for name in ("asked", "stopping", "waiting", "crashes", "pulls", "timers"):
            values[name] = {k: list(v) if isinstance(v, list) else v for k, v in values[name]}
        values["allocated"] = dict(values.get("allocated", ()))
        for name in ("containers", "previous"):
            values[name] = {k: Container.from_list(_copied(v)) for k, v in values[name]}
        values["probes"] = {k: Probe(*v) for k, v in values["probes"]}
        for name in ("todo", "failures", "outcome"):
            values[name] = list(values[name])
        return cls(**values)


def _copied(fields: list[Any]) -> list[Any]:
    return [list(value) if isinstance(value, list) else value for value in fields]


_SELDOM = ("allocated", "gone", "resizing", "shutdown")
"""Fields that are left out while they are empty."""
_PLAIN = tuple(
    name for name in PodRecord.__dataclass_fields__ if name not in ("containers", "previous", "probes")
)


def record_uid(pod: JSON) -> str:
    """The uid under which a kubelet knows the Pod."""
    meta = pod["metadata"]
    annotations = meta.get("annotations")
    uid: str = (annotations.get(MIRROR) if annotations else None) or meta["uid"]
    return uid


def is_critical(pod: JSON, static: bool) -> bool:
    """Whether a Pod is needed more than others, whatever happens to its node (IsCriticalPod)."""
    return static or int(pod["spec"].get("priority") or 0) >= CRITICAL


def is_sidecar(container: JSON) -> bool:
    """Whether an init container goes on running beside the others."""
    return container.get("restartPolicy") == "Always"


def pod_text(pod: JSON) -> str:
    """``name_namespace(uid)``, as kubelet messages name a Pod."""
    meta = pod["metadata"]
    return f"{meta['name']}_{meta['namespace']}({record_uid(pod)})"


CONTAINERS = ("containers", "initContainers", "ephemeralContainers")
"""Where a Pod's spec names containers."""


def field_path(spec: JSON, name: str) -> str:
    """How events name a container: ``spec.containers{web}``."""
    for kind in CONTAINERS:
        for container in spec.get(kind) or ():
            if container["name"] == name:
                return f"spec.{kind}{{{name}}}"
    return ""


def find_container(spec: JSON, name: str) -> JSON:
    """The container of that name. Raises KeyError."""
    for kind in CONTAINERS:
        for container in spec.get(kind) or ():
            if container["name"] == name:
                found: JSON = container
                return found
    raise KeyError(name)


def named_port(container: JSON, port: int | str) -> int:
    """A port of a container, by number or by name; 0 when there is no such name."""
    if isinstance(port, int):
        return port
    for entry in container.get("ports") or ():
        if entry.get("name") == port:
            return int(entry["containerPort"])
    return int(port) if port.isdigit() and len(port) < 6 else 0


def changed(spec: JSON, container: Container) -> bool:
    """Whether the container was made from another image than its spec names now, or has to begin anew to be resized."""
    if needs_restart(spec, container):
        return True
    try:
        return str(parse(spec["image"])) != container.image
    except InvalidImageName:
        return True


def restarts_all(record: PodRecord, pod: JSON) -> bool:
    """Whether all begin anew now: one has ended so, or not all are gone that ran then (ShouldAllContainersRestart)."""
    if not could_restart_all(pod["spec"]):
        return False
    there = [
        (spec, record.containers[spec["name"]])
        for kind in ("initContainers", "containers")
        for spec in pod["spec"].get(kind) or ()
        if spec["name"] in record.containers
    ]
    if any(c.state == EXITED and action_of(spec, c.exit_code) == RESTART_ALL for spec, c in there):
        return True
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return bool(there) and any(c["type"] == ALL_RESTARTING and c["status"] == "True" for c in conditions)


def restarts(pod_spec: JSON, spec: JSON, ended: Container) -> bool:
    """Whether a container that has ended so is started again (ShouldContainerBeRestarted)."""
    policy = pod_spec.get("restartPolicy") or "Always"
    return should_restart(spec, policy, ended.exit_code) or changed(spec, ended)
