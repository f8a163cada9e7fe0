"""Starts containers: pull the image, configure, create, start, run the hook; one after the other.

Models pkg/kubelet/kuberuntime/kuberuntime_container.go (startContainer) and pkg/kubelet/images.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from cluster_engine.apimachinery import quantity
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.duration import go_duration
from cluster_engine.container_runtime.container import RUNNING, Container
from cluster_engine.container_runtime.names import InvalidImageName, Reference, parse
from cluster_engine.container_runtime.registry import PullError, Registry
from cluster_engine.container_runtime.setup import NODE, POD
from cluster_engine.container_runtime.trees import volume_part, volume_tree
from cluster_engine.kube_apiserver import API_SERVER
from cluster_engine.kubelet.atomic_writer import at
from cluster_engine.kubelet.core import CAPACITY, ON, Core, Node
from cluster_engine.kubelet.decide import INITIAL_BACKOFF, MAX_BACKOFF
from cluster_engine.kubelet.devices import Devices
from cluster_engine.kubelet.environment import ConfigError, Environment, Facts, command_line
from cluster_engine.kubelet.hosts import hosts_file
from cluster_engine.kubelet.keyring import NODE_FILE
from cluster_engine.kubelet.lifecycle import Lifecycle, hook_failure
from cluster_engine.kubelet.prober import KINDS, Prober
from cluster_engine.kubelet.record import PodRecord, field_path, find_container, pod_text
from cluster_engine.kubelet.runtime import ContainerConfig, Runtime, RuntimeFailed
from cluster_engine.kubelet.termination import Termination
from cluster_engine.kubelet.users import refusal, user_of
from cluster_engine.kubelet.volumes import (
    ETC_HOSTS,
    IMAGE,
    Mount,
    container_mounts,
    frozen_part,
    image_volumes,
)
from cluster_engine.linux.files import tree
from cluster_engine.sim import SECOND

_STORAGE = 20 * SECOND
"""How long an API server tries to reach etcd before it ends."""
MESSAGE_PATH = "/dev/termination-log"
_BYTES_PER_SECOND = 60_000_000
_HOOK_TIMEOUT = 86_400.0
"""A postStart hook may take as long as it likes; after this many seconds it counts as hanging."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """An image that a container needs."""

    image: str
    policy: str | None
    path: str
    """The field that its events are of."""
    volume: int = 0
    """It is that of the container's how manieth volume of an image; 0: the container's own."""


class Starter:
    """One container at a time, per Pod."""

    def __init__(
        self,
        core: Core,
        runtime: Runtime,
        environment: Environment,
        prober: Prober,
        lifecycle: Lifecycle,
        termination: Termination,
        devices: Devices,
    ) -> None:
        self.core = core
        self.runtime = runtime
        self.environment = environment
        self.prober = prober
        self.lifecycle = lifecycle
        self.termination = termination
        self.devices = devices
        self.clock = core.clock

    def look_for_pull_secrets(self, record: PodRecord, pod: JSON) -> None:
        """Tells of those that are missing (getPullSecretsForPod)."""
        missing = self.environment.missing_pull_secrets(pod)
        if missing:
            text = (
                f"Unable to retrieve some image pull secrets ({', '.join(missing)}); attempting to pull the image "
                "may not succeed."
            )
            self.core.event(record, pod, "Warning", "FailedToRetrieveImagePullSecret", text)

    def begin(self, record: PodRecord, pod: JSON, name: str) -> None:
        """Makes sure of the images, the container's and those of its volumes; then goes on with ``create``."""
        spec = find_container(pod["spec"], name)
        wanted = _Wanted(spec["image"], spec.get("imagePullPolicy"), field_path(pod["spec"], name))
        if self._ensure(record, pod, name, wanted):
            self._ensure_volumes(record, pod, name, 0)

    def _ensure_volumes(self, record: PodRecord, pod: JSON, name: str, done: int) -> None:
        """The images of volumes, after as many as are there (getImageVolumes)."""
        for number, volume in enumerate(
            image_volumes(pod, find_container(pod["spec"], name))[done:], done + 1
        ):
            wanted = _Wanted(
                volume[IMAGE].get("reference") or "", volume[IMAGE].get("pullPolicy"), "", number
            )
            if not self._ensure(record, pod, name, wanted):
                return
        self.create(record, pod, name)

    def _ensure(self, record: PodRecord, pod: JSON, name: str, wanted: _Wanted) -> bool:
        """Whether the image is there; if not it is being pulled, or the container waits with an error."""
        core, image, path = self.core, wanted.image, wanted.path
        node = core.nodes[record.node]
        try:
            reference = parse(image)
        except InvalidImageName as error:
            text = (
                f'Failed to apply default image tag "{image}": couldn\'t parse image name "{image}": {error}'
            )
            core.event(record, pod, "Warning", "InspectFailed", text, path)
            self._fail(record, pod, name, "InvalidImageName", text)
            return False
        policy = wanted.policy or ("Always" if reference.tag == "latest" else "IfNotPresent")
        present = str(reference) in node.images
        if policy == "Never" and present and not self._may_use(pod, reference):
            text = (
                f'Container image "{image}" is present with pull policy of Never but does not have the proper '
                "credentials to access the image"
            )
            core.event(record, pod, "Warning", "ErrImageNeverPull", text, path)
            self._fail(record, pod, name, "ErrImageNeverPull", text)
            return False
        if policy == "Never" and not present:
            text = f'Container image "{image}" is not present with pull policy of Never'
            core.event(record, pod, "Warning", "ErrImageNeverPull", text, path)
            self._fail(record, pod, name, "ErrImageNeverPull", text)
            return False
        if present and policy != "Always" and self._may_use(pod, reference):
            text = f'Container image "{image}" already present on machine and can be accessed by the pod'
            core.event(record, pod, "Normal", "Pulled", text, path)
            return True
        backoff = record.pulls.get(image)
        if backoff is not None and self.clock.now - backoff[1] < backoff[0]:
            text = f'Back-off pulling image "{image}"'
            core.event(record, pod, "Normal", "BackOff", text, path)
            self._fail(record, pod, name, "ImagePullBackOff", f"{text}: ErrImagePull: {backoff[2]}")
            return False
        core.event(record, pod, "Normal", "Pulling", f'Pulling image "{image}"', path)
        self._pull(record, pod, name, wanted, reference)
        return False

    def _pull(self, record: PodRecord, pod: JSON, name: str, wanted: _Wanted, reference: Reference) -> None:
        """Asks the registry; ``pulled`` gets the answer."""
        now, node = self.clock.now, self.core.nodes[record.node]
        of_volume = (wanted.volume,) if wanted.volume else ()
        draw = self.core.chance.of("pull", record.uid, name, now, *of_volume)
        try:
            found, tag = self.core.registry.pull(reference, self._logins(pod, reference), self.core.failing)
            seconds = 0.3 + draw.uniform(0.0, 0.3)
            if str(reference) in node.pulling:
                # Queued behind a pull of the same image: only the manifest is asked for again.
                seconds = 0.02 + draw.uniform(0.0, 0.03)
            elif str(reference) not in node.images:
                size = found.variants[tag].size
                seconds = min(max(size / _BYTES_PER_SECOND * draw.uniform(0.8, 1.3), 0.2) + seconds, 4.0)
        except PullError:
            seconds = 0.9 + draw.uniform(0.0, 0.8)
        start = _turn(node, now)
        end = start + round(seconds * SECOND)
        node.pull_free_at = max(node.pull_free_at, end)
        node.pulling[str(reference)] = end
        self.clock.call_at(
            end,
            "kubelet/pulled",
            record.uid,
            record.epoch,
            name,
            now,
            start,
            wanted.image,
            node.name,
            *of_volume,
            background=record.quiet,
        )

    def _logins(self, pod: JSON, reference: Reference) -> list[tuple[str, str]]:
        if not self.core.registry.private(reference):
            return []
        file = self.runtime.place_of_node(pod["spec"].get("nodeName", ""), NODE_FILE)
        text = tree.content(file) if file is not None and file["t"] == "f" else ""
        return self.environment.logins(pod, reference.repository, text)

    def _may_use(self, pod: JSON, reference: Reference) -> bool:
        """Whether the Pod may have an image that others have pulled (KubeletEnsureSecretPulledImages)."""
        return self.core.registry.opens(reference, self._logins(pod, reference))

    def pulled(
        self,
        uid: str,
        epoch: int,
        name: str,
        asked: int,
        began: int,
        image: str,
        node_name: str,
        volume: int = 0,
    ) -> None:
        """Clock event: the registry has answered, about the container's image, or that of its ``volume``-th volume."""
        core, now, record = self.core, self.clock.now, self.core.records.get(uid)
        reference = parse(image)
        node = core.nodes[node_name]
        if node.power != ON:
            return
        pulling = node.pulling
        if pulling.get(str(reference), 0) <= now:
            pulling.pop(str(reference), None)
        pod = core.pod_of(record) if record is not None else None
        try:
            logins = self._logins(pod, reference) if pod is not None else []
            found, tag = self.core.registry.pull(reference, logins, core.failing)
        except PullError as error:
            if record is not None and record.epoch == epoch and pod is not None:
                path = "" if volume else field_path(pod["spec"], name)
                self._pull_failed(record, pod, name, image, str(error), path)
            return
        if str(reference) not in node.images:
            core.tell(node)
        node.images[str(reference)] = now
        if record is None or record.epoch != epoch or pod is None:
            return
        record.pulls.pop(image, None)
        took, waited = _milliseconds(now - began), _milliseconds(now - asked)
        text = (
            f'Successfully pulled image "{image}" in {took} ({waited} including waiting). '
            f"Image size: {found.variants[tag].size} bytes."
        )
        core.event(record, pod, "Normal", "Pulled", text, "" if volume else field_path(pod["spec"], name))
        self._ensure_volumes(record, pod, name, volume)

    def _pull_failed(
        self, record: PodRecord, pod: JSON, name: str, image: str, error: str, path: str
    ) -> None:
        before = record.pulls.get(image)
        delay = min(before[0] * 2, MAX_BACKOFF) if before is not None else INITIAL_BACKOFF
        record.pulls[image] = [delay, self.clock.now, error]
        text = f'Failed to pull image "{image}": {error}'
        self.core.event(record, pod, "Warning", "Failed", text, path)
        self._fail(record, pod, name, "ErrImagePull", error)

    def _fail(
        self, record: PodRecord, pod: JSON, name: str, reason: str, message: str, event: bool = True
    ) -> None:
        """The container was not started; the pass goes on with the next one."""
        record.waiting[name] = [reason, message]
        record.failures.append(0)
        if event:
            text = f"Error: {message if reason.startswith('CreateContainer') else reason}"
            self.core.event(record, pod, "Warning", "Failed", text, field_path(pod["spec"], name))
        self.core.later(record, 0.0, "next")

    # ---- create and start ------------------------------------------------------------------------------

    def create(self, record: PodRecord, pod: JSON, name: str) -> None:
        """Configures the container; it is running a moment later."""
        core, spec = self.core, find_container(pod["spec"], name)
        try:
            config = self._config(record, pod, spec)
        except ConfigError as error:
            self._fail(record, pod, name, "CreateContainerConfigError", str(error))
            return
        try:
            self.runtime.create_container(record, config)
        except RuntimeFailed as error:
            self._fail(record, pod, name, "CreateContainerError", str(error))
            return
        draw = core.chance.of("start", record.uid, name, self.clock.now)
        core.later(record, draw.uniform(0.08, 0.25), "start", name)

    def _config(self, record: PodRecord, pod: JSON, spec: JSON) -> ContainerConfig:
        """What the container is made from (GenerateRunContainerOptions). Raises ConfigError."""
        node = self.core.nodes[record.node]
        facts = Facts(node.name, node.ip, record.ip, CAPACITY)
        env = self.environment.resolve(pod, spec, facts, partial(self.runtime.volume_file, record))
        reference = str(parse(spec["image"]))
        image, _ = self.core.registry.find(reference)
        why = refusal(pod["spec"], spec, image.uid, pod_text(pod))
        if why:
            raise ConfigError(why)
        hosts = tree.file(hosts_file(pod, record.ip, node.name, node.ip), mtime=self.clock.now)
        mounts, own = [], {ETC_HOSTS: hosts}
        for mount in container_mounts(pod, spec, env):
            root = self.runtime.volume(record, mount.volume) if mount.sub else None
            part = frozen_part(root, mount.sub) if root is not None else None
            if part is not None:
                own[f"{spec['name']}/{mount.volume}/{mount.sub}"] = part
                mount = mount._replace(volume=f"{spec['name']}/{mount.volume}/{mount.sub}", sub="")
            mounts.append(mount)
        for volume in image_volumes(pod, spec):
            mounts = [_of_image(self.core.registry, mount, volume, spec["name"], own) for mount in mounts]
        variables, paths = self.devices.shown(record, spec["name"])
        env = {**env, **variables}
        for path in paths:
            own[f"{spec['name']}{path}"] = tree.file(mtime=self.clock.now)
            mounts.append(Mount(f"{spec['name']}{path}", path))
        limits = (spec.get("resources") or {}).get("limits") or {}
        return ContainerConfig(
            spec["name"],
            reference,
            command_line(spec, image, env),
            env,
            own,
            workdir=spec.get("workingDir") or "",
            user=user_of(pod["spec"], spec, image.uid),
            mounts=tuple(mounts),
            read_only=bool((spec.get("securityContext") or {}).get("readOnlyRootFilesystem")),
            message_path=spec.get("terminationMessagePath") or MESSAGE_PATH,
            memory=quantity.value(limits["memory"]) if "memory" in limits else None,
            stdin=bool(spec.get("stdin")),
            stdin_once=bool(spec.get("stdinOnce")),
            tty=bool(spec.get("tty")),
            pids=_pids(record, pod["spec"], spec),
            millis=quantity.milli(limits["cpu"]) if "cpu" in limits else 0,
        )

    def start(self, record: PodRecord, pod: JSON, name: str) -> None:
        """The container's process begins."""
        core, spec = self.core, find_container(pod["spec"], name)
        path = field_path(pod["spec"], name)
        core.event(record, pod, "Normal", "Created", "Container created", path)
        record.waiting.pop(name, None)
        for kind in KINDS:
            self.prober.drop(record, name, kind)
        try:
            self.runtime.start_container(record, name)
        except RuntimeFailed as error:
            record.waiting[name] = ["RunContainerError", str(error)]
            record.failures.append(0)
            core.event(record, pod, "Warning", "Failed", f"Error: {error}", path)
            core.changed(record)
            self.core.later(record, 0.0, "next")
            return
        if record.static and core.nodes[record.node].control_plane:
            self._begin_component(record, record.containers[name], self.clock.now)
        core.event(record, pod, "Normal", "Started", "Container started", path)
        core.changed(record)
        self.devices.began(record, record.containers[name])
        self.prober.begin(record, pod, spec)
        then = ["kubelet/started", record.uid, record.epoch, name]
        if not self.lifecycle.run(record, spec, "postStart", _HOOK_TIMEOUT, then):
            self.core.later(record, 0.0, "next")

    def _begin_component(self, record: PodRecord, container: Container, since: int) -> None:
        """A process of the control plane runs. An API server that finds no etcd serves nothing, and gives up."""
        processes = self.core.ctx.processes
        if container.name != API_SERVER or not processes.without_etcd:
            processes.began(container.name, record.node)
        elif self.clock.now - since < _STORAGE:
            args = (record.uid, container.id, since)
            self.clock.call_later(1.0, "kubelet/no-etcd", *args, background=True)
        else:
            told = 'instance.go:226] "Error creating leases: error creating storage factory: context deadline exceeded"'
            self.clock.logs.write(API_SERVER, self.clock.now, "F", told)
            self.runtime.give_up(record, container.name)

    def look_for_etcd(self, uid: str, container_id: str, since: int) -> None:
        """Clock event: an API server that waits for etcd looks for it again."""
        record = self.core.records.get(uid)
        container = record.containers.get(API_SERVER) if record is not None else None
        if record is None or container is None or container.id != container_id or container.state != RUNNING:
            return
        self._begin_component(record, container, since)

    def started(self, uid: str, epoch: int, name: str, answer: list[Any]) -> None:
        """Clock event: the postStart hook is done. One that failed ends its container."""
        record = self.core.records.get(uid)
        pod = self.core.pod_of(record) if record is not None and record.epoch == epoch else None
        if record is None or pod is None:
            return
        error = hook_failure(record, pod, find_container(pod["spec"], name), "postStart", answer)
        if error:
            path = field_path(pod["spec"], name)
            self.core.event(record, pod, "Warning", "FailedPostStartHook", "PostStartHook failed", path)
            seconds = pod["spec"].get("terminationGracePeriodSeconds", 30)
            self.termination.kill(record, pod, name, seconds, "FailedPostStartHook")
            record.waiting[name] = ["PostStartHookError", error]
            record.failures.append(0)
        self.core.later(record, 0.0, "next")


def _turn(node: Node, now: int) -> int:
    """When a pull that is asked for now begins (serializeImagePulls, maxParallelImagePulls)."""
    if node.flags.serialize_image_pulls:
        return max(now, node.pull_free_at)
    ends, most = (
        sorted(end for end in node.pulling.values() if end > now),
        node.flags.max_parallel_image_pulls,
    )
    return ends[-most] if most and len(ends) >= most else now


def _pids(record: PodRecord, pod_spec: JSON, spec: JSON) -> str:
    """Whose processes a container shares (namespacesForPod, getTargetID). Raises ConfigError."""
    target = spec.get("targetContainerName")
    if target:
        if target not in record.containers:
            raise ConfigError(f"unable to find target container {target}")
        return record.containers[target].id
    if pod_spec.get("hostPID"):
        return NODE
    return POD if pod_spec.get("shareProcessNamespace") else ""


def _milliseconds(us: int) -> str:
    """A duration as Go prints it, cut to milliseconds."""
    return go_duration(us // 1000 * 1_000_000)


def _of_image(registry: Registry, mount: Mount, volume: JSON, container: str, own: dict[str, Any]) -> Mount:
    """The mount with the image's files, or a part of them, if it is one of that volume. Raises ConfigError."""
    if mount.volume != volume["name"]:
        return mount
    reference = str(parse(volume[IMAGE]["reference"]))
    part = volume_part(registry, reference, mount.sub) or at(volume_tree(registry, reference), mount.sub)
    if part is None:
        raise ConfigError(f'failed to mount image volume: subpath "{mount.sub}" does not exist in the image')
    name = "/".join(word for word in (container, mount.volume, mount.sub) if word)
    own[name] = part
    return mount._replace(volume=name, sub="", read_only=True)
