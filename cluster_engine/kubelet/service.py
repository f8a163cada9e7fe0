"""The kubelet as a service of its node's machine: stopped, its containers run on and nobody looks after them.

What is asked of systemd there (`systemctl`) is answered here too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from cluster_engine.apimachinery import yaml
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.container_runtime.container import RUNNING
from cluster_engine.kubelet.core import ON, UNATTENDED, Core, Node
from cluster_engine.kubelet.devices import Devices
from cluster_engine.kubelet.flag_files import CONFIG, ENVIRONMENT, KUBELET, given_by, unknown_fields
from cluster_engine.kubelet.flags import FlagError, check, flags_of
from cluster_engine.kubelet.node import Nodes
from cluster_engine.kubelet.pressure import Pressure
from cluster_engine.kubelet.prober import Prober
from cluster_engine.kubelet.record import FINISHED, LOST, NEW, PodRecord, find_container
from cluster_engine.kubelet.runtime import Runtime
from cluster_engine.linux.files import tree
from cluster_engine.sim import rfc3339, rfc3339_micro

_STATUS = """\
{dot} kubelet.service - kubelet: The Kubernetes Node Agent
     Loaded: loaded (/usr/lib/systemd/system/kubelet.service; enabled; preset: enabled)
    Drop-In: /usr/lib/systemd/system/kubelet.service.d
             └─10-kubeadm.conf
     Active: {active}
       Docs: https://kubernetes.io/docs/
"""
_LENIENT = ("I", 'codec.go:117] "Using lenient decoding as strict decoding failed"')
_FAILED = ("E", 'run.go:72] "command failed"')
_STARTED_AGAIN = (
    "systemd[1]: kubelet.service: Scheduled restart job, restart counter is at {}.",
    "systemd[1]: Started kubelet.service - kubelet: The Kubernetes Node Agent.",
)
_EXITED = (
    "systemd[1]: kubelet.service: Main process exited, code=exited, status=1/FAILURE",
    "systemd[1]: kubelet.service: Failed with result 'exit-code'.",
)
_RESTART = 10.0
_NOT_HERE = "Drydock starts and stops the kubelet alone of a node's services (a real node has systemd)\n"
_UNITS = (["kubelet"], ["kubelet.service"])


class Service:
    """Of all nodes. ``resume`` has a kubelet go on with what its node has."""

    def __init__(
        self,
        core: Core,
        runtime: Runtime,
        nodes: Nodes,
        prober: Prober,
        pressure: Pressure,
        devices: Devices,
        resume: Callable[[Node], None],
    ) -> None:
        self.core = core
        self.runtime = runtime
        self.nodes = nodes
        self.prober = prober
        self.pressure = pressure
        self.devices = devices
        self._resume = resume

    def stop(self, node: Node) -> None:
        """The kubelet ends, and forgets what it had in mind; one that failed is not started again."""
        if node.power == UNATTENDED:
            node.complaint = []
        if node.power != ON:
            return
        node.power, node.complaint = UNATTENDED, []
        node.restarts += 1
        self.forget_plans(node)
        self.nodes.silence(node)
        for record in self._records(node):
            self.abandon(record)

    def start(self, node: Node) -> None:
        """Another one begins, and finds what runs."""
        if node.power != UNATTENDED:
            return
        node.power, node.complaint = ON, []
        self.devices.restarted(node)
        self.nodes.restart(node)
        self.pressure.begin(node)
        for record in self._records(node):
            pod = self.core.pod_of(record) if record.state != FINISHED else None
            for name, container in record.containers.items():
                if pod is not None and container.state == RUNNING:
                    self.prober.begin(record, pod, find_container(pod["spec"], name))
        self._resume(node)

    def forget_plans(self, node: Node) -> None:
        """What the kubelet of a node would have done next."""
        self.core.clock.cancel(node.relist)
        node.relist, node.pull_free_at = None, 0
        node.shutdown = []
        node.dirty.clear()
        node.pulling.clear()
        node.ready = node.leased = False

    def abandon(self, record: PodRecord) -> None:
        """The kubelet does not know any more what it was about to do with the Pod; the runtime's own timers stay."""
        if record.state == FINISHED:
            return
        self.prober.stop(record)
        self.core.clock.cancel(record.timer)
        for name in [name for name in record.timers if not name.startswith("kill/")]:
            self.core.clock.cancel(record.timers.pop(name))
        record.timer = None
        record.epoch += 1
        record.working = record.again = record.quiet = False
        record.todo, record.failures = [], []
        for table in (record.stopping, record.waiting, record.crashes, record.pulls):
            table.clear()
        if record.state == NEW:
            record.state = LOST

    def _records(self, node: Node) -> Iterable[PodRecord]:
        return [self.core.records[known.uid] for known in self.core.records.all() if known.node == node.name]

    # ---- systemctl -------------------------------------------------------------------------------------

    def asked(self, asked: Mapping[str, Any]) -> list[Any]:
        """[exit status, output, complaint] of ``systemctl`` with these words on that node.

        ``config`` and ``environment`` are what its kubelet's files say now; ``config`` is None where it is missing.
        """
        node = self.core.nodes[asked["node"]]
        match asked["words"]:
            case ["stop", *units] if units in _UNITS:
                self.stop(node)
            case ["start", *units] if units in _UNITS:
                self._begin(node, asked)
            case ["restart", *units] if units in _UNITS:
                self.stop(node)
                self._begin(node, asked)
            case ["is-active", *units] if units in _UNITS:
                failing = "activating\n" if node.complaint else "inactive\n"
                return [0, "active\n", ""] if node.power == ON else [3, failing, ""]
            case ["status", *units] if units in _UNITS:
                return self._status(node)
            case ["poweroff" | "reboot" as what]:
                return self._down(node, what == "reboot", asked["config"] or "")
            case _:
                return [1, "", f"systemctl: {_NOT_HERE}"]
        return [0, "", ""]

    def _status(self, node: Node) -> list[Any]:
        if node.power == ON:
            return [0, _STATUS.format(dot="●", active="active (running)"), ""]
        now = rfc3339(self.core.clock.now)
        if node.complaint:
            again = f"activating (auto-restart) (Result: exit-code) as of {now}"
            return [3, _STATUS.format(dot="●", active=again), ""]
        return [3, _STATUS.format(dot="○", active=f"inactive (dead) as of {now}"), ""]

    def _down(self, node: Node, again: bool, config: str) -> list[Any]:
        """Not within this call: whoever asks for it is on that machine."""
        try:
            grace, critical = shutdown_periods(config)
        except ValueError as error:
            return [1, "", f"systemctl: {error}\n"]
        now = self.core.clock.now
        self.core.clock.call_at(now, "kubelet/poweroff", node.name, again, grace, critical)
        return [0, "", ""]

    def _begin(self, node: Node, asked: Mapping[str, Any], tries: int = 0) -> None:
        """The kubelet begins with what the files say; with some of that it ends at once, and tells why.

        It is tried again ten seconds later (``Restart=always``, ``RestartSec=10`` of kubelet.service), by systemd
        itself the more often the ``tries`` say.
        """
        if node.power != UNATTENDED:
            return
        try:
            given = given_by(asked["environment"], asked["config"])
            flags = flags_of(given)
            check(flags, node.ip, node.control_plane)
            if flags.hostname_override != node.flags.hostname_override:
                raise FlagError(
                    "a node that gets another name: Drydock does not simulate that (a real cluster does)"
                )
        except FlagError as error:
            node.complaint = [self.core.clock.now, str(error), *([tries] if tries else [])]
            life = (node.name, node.boots, node.restarts)
            self.core.clock.call_later(_RESTART, "kubelet/again", *life, background=True)
            return
        if given != node.given:
            node.given, node.flags, node.from_files = given, flags, True
        self.start(node)
        if unknown := unknown_fields(asked["config"]):
            node.complaint = [self.core.clock.now, unknown]

    def again(self, name: str, boots: int, restarts: int) -> None:
        """Clock event: a kubelet that failed is started once more, with what its files say by now."""
        node = self.core.nodes[name]
        if node.complaint and (node.boots, node.restarts) == (boots, restarts):
            root = self.runtime.disk_of_node(name, KUBELET) or tree.directory()
            config, environment = (_content(root, path) for path in (CONFIG, ENVIRONMENT))
            tries = node.complaint[2] if len(node.complaint) > 2 else 0
            self._begin(node, {"config": config, "environment": environment or ""}, tries + 1)

    def journal(self, host: str) -> str:
        """What the journal of that node says of a kubelet that did not start, or did not like its configuration."""
        node = self.core.nodes[host]
        if not node.complaint:
            return ""
        at, why, *tries = node.complaint
        stamp = datetime.fromisoformat(rfc3339_micro(at).replace("Z", "+00:00"))
        pid, level, place = 600 + node.restarts + sum(tries), *(_LENIENT if node.power == ON else _FAILED)
        said = f"{stamp:%H:%M:%S.%f}{pid:>8} {place} err={json.dumps(why)}"
        before = [line.format(*tries) for line in _STARTED_AGAIN] if tries else []
        after = () if node.power == ON else _EXITED
        lines = [*before, f"kubelet[{pid}]: {level}{stamp:%m%d} {said}", *after]
        return "".join(f"{stamp:%b %d %H:%M:%S} {host} {line}\n" for line in lines)


def _content(root: JSON, path: str) -> str | None:
    """A file of the kubelet's folder; None when it is missing."""
    found = tree.find(root, path.removeprefix(f"{KUBELET}/").split("/"))
    return tree.content(found) if found is not None and "e" not in found else None


def shutdown_periods(config: str) -> tuple[int, int]:
    """(shutdownGracePeriod, …CriticalPods) of a KubeletConfiguration, in seconds. Raises ValueError."""
    try:
        found = yaml.load(config.encode())
    except yaml.YamlError as error:
        raise ValueError(f"failed to load kubelet config file {CONFIG}: {error}") from error
    found = found if isinstance(found, dict) else {}
    names = ("shutdownGracePeriod", "shutdownGracePeriodCriticalPods")
    grace, critical = (_seconds(name, found.get(name, "0s")) for name in names)
    if critical > grace:
        raise ValueError(f"invalid configuration: {names[1]} ({critical}s) must be <= {names[0]} ({grace}s)")
    return grace, critical


def _seconds(name: str, value: object) -> int:
    units = {"s": 1, "m": 60}
    if not isinstance(value, str) or not value[:-1].isdecimal() or value[-1:] not in units:
        raise ValueError(f'{name}: time: invalid duration "{value}"')
    return min(int(value[:-1]) * units[value[-1]], 3_600)
