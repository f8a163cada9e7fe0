"""kube-scheduler as a component: what happens in the cluster goes into the queue, clock events take it out.

Informer handlers run inside the write that they are told of, so they only move Pods in the queue; a clock
event makes the attempts, a slice of them at a time. Models pkg/scheduler/{scheduler,eventhandlers}.go.
"""

from __future__ import annotations

from typing import Any

from cluster_engine.apimachinery.cow import JSON, key_of
from cluster_engine.client_go import Change
from cluster_engine.component import Component, Context
from cluster_engine.component_helpers.pod_phase import is_finished
from cluster_engine.kube_scheduler.config import loaded
from cluster_engine.kube_scheduler.cycle import PERMIT, Cycle, scheduler_of
from cluster_engine.kube_scheduler.framework.cache import Cache
from cluster_engine.kube_scheduler.framework.events import (
    ADD,
    DELETE,
    RESOURCES,
    UPDATE,
    Event,
    Interest,
    node_changes,
    pod_changes,
)
from cluster_engine.kube_scheduler.framework.handle import Handle
from cluster_engine.kube_scheduler.framework.interface import Plugin
from cluster_engine.kube_scheduler.framework.nominator import Nominator, nominated_node
from cluster_engine.kube_scheduler.framework.rotation import Rotation
from cluster_engine.kube_scheduler.framework.runtime import Framework
from cluster_engine.kube_scheduler.framework.types import PodInfo, placed
from cluster_engine.kube_scheduler.permits import Permit
from cluster_engine.kube_scheduler.plugins import PLUGINS
from cluster_engine.kube_scheduler.queue import GATED, UNSCHEDULABLE, Queue, Waiting
from cluster_engine.sim.failures import PATIENCE

LATENCY = 0.010
"""Seconds from the first Pod that waits to the attempts."""
SLICE = 16
"""Attempts of one clock event, so that a host of many engines gets its turn in between."""
FLUSH_PERIOD = 30.0


Interested = dict[str, list[tuple[str, Interest]]]
"""By profile: (plugin, what it registered)."""


class Scheduler(Component):
    """kube-scheduler with the profiles of its configuration. Raises ConfigError for one that cannot be."""

    name = "kube-scheduler"
    process = "kube-scheduler"
    reads_as = "system:kube-scheduler"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.client = ctx.client("system:kube-scheduler", manager="kube-scheduler")
        config = loaded(ctx.options.scheduler_config, PLUGINS)
        self.pods = ctx.informers.of("pods")
        self.cache = Cache(ctx.informers)
        self.nominator = Nominator()
        self.rotation = Rotation()
        self.frameworks = {
            profile.name: Framework(profile, self._handle(profile.name)) for profile in config.profiles
        }
        first = next(iter(self.frameworks.values()))
        self.queue = Queue(first.queue_key, config.initial_backoff, config.max_backoff)
        self.cycle = Cycle(self.clock, self.frameworks, self.queue, self.pods, self.client, self._helped)
        self._interests: Interested = {
            name: [(p.name, interest) for p in framework.plugins for interest in p.events()]
            for name, framework in self.frameworks.items()
        }
        self._by_event: dict[tuple[str, str], Interested] = {}
        self._any_update = bool(self._interested(Event("Pod", UPDATE, None, None)))
        self._missed: list[Event] | None = None
        """Events since the present attempt began; None when there is none."""
        self._run_timer: int | None = None
        self._error_timer: tuple[int, int] | None = None
        """When the next back-off after an error ends, and the timer."""
        for name, handler in (
            ("run", self._run),
            ("retry", self._retry),
            ("flush", self._flush),
        ):
            self.clock.register(f"{self.name}/{name}", handler)
        self.clock.register(PERMIT, self._permit)
        self.pods.on(self._pod_added, self._pod_updated, self._pod_deleted)
        ctx.informers.of("nodes").on(self._node_added, self._node_updated, self._node_deleted)
        registered = [interest for pairs in self._interests.values() for _plugin, interest in pairs]
        for resource in dict.fromkeys(interest.resource for interest in registered):
            if resource not in ("Pod", "Node"):
                self._watch(resource)

    def _handle(self, profile: str) -> Handle:
        recorder = self.ctx.recorder(profile, client=self.client)
        return Handle(
            self.clock,
            self.cache,
            self.client,
            recorder,
            self._allow,
            self._reject,
            self.nominator,
            self.rotation,
            self.ctx.chance,
        )

    def start(self) -> None:
        self.clock.call_later(FLUSH_PERIOD, f"{self.name}/flush", background=True)

    def attempts(self, namespace: str, name: str) -> list[JSON]:
        """The latest attempts to schedule that Pod, the oldest first (``Attempt.as_data``)."""
        return self.cycle.attempts.of(f"{namespace}/{name}")

    # ---- Pods ------------------------------------------------------------------------------------------

    def _pod_added(self, pod: JSON) -> None:
        if not pod["spec"].get("nodeName"):
            self._arrived(pod)
        elif self.cache.add_pod(pod):
            self._happened(Event("Pod", ADD, None, pod))

    def _pod_updated(self, change: Change) -> None:
        old, new = change.old, change.new
        if not new["spec"].get("nodeName"):
            self._waiting_pod_updated(old, new)
        elif not old["spec"].get("nodeName"):
            self._leaves_queue(change.key)
            if self.cache.add_pod(new):
                self._happened(Event("Pod", ADD, None, new))
            if nominated_node(old) != new["spec"]["nodeName"]:
                self._promise_gone(old)
        elif is_finished(new):
            if self.cache.remove_pod(new):
                self._happened(Event("Pod", DELETE, new, None))
        else:
            self.cache.update_pod(old, new)
            if change.spec or change.labels or self._any_update:
                for action in pod_changes(old, new):
                    self._happened(Event("Pod", action, old, new))

    def _waiting_pod_updated(self, old: JSON, new: JSON) -> None:
        key = key_of(new)
        waiting = self.queue.get(key)
        if waiting is None or not self._is_ours(new):
            permit = self.cycle.permits.get(key)
            if permit is not None:
                self.cycle.forget(permit, old)
            self._leaves_queue(key)
            self._arrived(new)
            return
        if key not in self.cycle.permits and nominated_node(old) + nominated_node(new):
            self.nominator.update(self.cache.info(new))
            if nominated_node(old) != nominated_node(new):
                self._promise_gone(old)
        if waiting.place in (UNSCHEDULABLE, GATED):
            for action in pod_changes(old, new):
                event = Event("Pod", action, old, new)
                if self._worth_trying(waiting, event, self._interested(event)):
                    self._requeue(waiting)
                    break

    def _pod_deleted(self, pod: JSON) -> None:
        if pod["spec"].get("nodeName"):
            if self.cache.remove_pod(pod):
                self._happened(Event("Pod", DELETE, pod, None))
            return
        key = key_of(pod)
        permit = self.cycle.permits.get(key)
        if permit is not None:
            self.cycle.forget(permit, pod)
        self._leaves_queue(key)
        if permit is not None:
            self._happened(Event("Pod", DELETE, placed(pod, permit.node), None))
        else:
            self._promise_gone(pod)

    def _promise_gone(self, old: JSON) -> None:
        """The room that was promised to the Pod is free for others, as if the Pod had been there."""
        if nominated_node(old):
            self._happened(Event("Pod", DELETE, placed(old, nominated_node(old)), None))

    def _arrived(self, pod: JSON) -> None:
        if self._is_ours(pod):
            if nominated_node(pod):
                self.nominator.update(self.cache.info(pod))
            self._requeue(self.queue.arrive(key_of(pod), pod["spec"].get("priority") or 0, self.clock.now))

    def _leaves_queue(self, key: str) -> None:
        self.queue.remove(key)
        self.nominator.remove(key)

    # ---- everything else -------------------------------------------------------------------------------

    def _node_added(self, node: JSON) -> None:
        self.cache.add_node(node)
        self._happened(Event("Node", ADD, None, node))

    def _node_updated(self, change: Change) -> None:
        self.cache.update_node(change.new)
        for action in node_changes(change.old, change.new):
            self._happened(Event("Node", action, change.old, change.new))

    def _node_deleted(self, node: JSON) -> None:
        self.cache.remove_node(node["metadata"]["name"])
        self._happened(Event("Node", DELETE, node, None))

    def _watch(self, resource: str) -> None:
        self.ctx.informers.of(RESOURCES.get(resource, resource)).on(
            add=lambda new: self._happened(Event(resource, ADD, None, new)),
            update=lambda change: self._happened(Event(resource, UPDATE, change.old, change.new)),
            delete=lambda old: self._happened(Event(resource, DELETE, old, None)),
        )

    # ---- what an event is good for ---------------------------------------------------------------------

    def _interested(self, event: Event) -> Interested:
        """The plugins that registered such an event; profiles of which none did are left out."""
        kind = (event.resource, event.action)
        found = self._by_event.get(kind)
        if found is None:
            covering = {
                name: [pair for pair in pairs if pair[1].covers(event)]
                for name, pairs in self._interests.items()
            }
            found = self._by_event[kind] = {name: pairs for name, pairs in covering.items() if pairs}
        return found

    def _happened(self, event: Event) -> None:
        """Tries anew whom the event may help (moveAllToActiveOrBackoffQueue)."""
        interested = self._interested(event)
        if not interested:
            return
        if self._missed is not None:
            self._missed.append(event)
        plugins = [plugin for pairs in interested.values() for plugin, _interest in pairs]
        for waiting in self.queue.refused_by(plugins):
            if self._worth_trying(waiting, event, interested):
                self._requeue(waiting)

    def _worth_trying(self, waiting: Waiting, event: Event, interested: Interested) -> bool:
        """Whether one of those who refused the Pod says so (isPodWorthRequeuing)."""
        pod = self.pods.get(waiting.key)
        if pod is None:
            return False
        pairs = interested.get(scheduler_of(pod), ())
        hints = [interest.hint for plugin, interest in pairs if plugin in waiting.plugins]
        if not hints:
            return False
        if None in hints:
            return True
        info = self.cache.info(pod)
        try:
            return any(hint(info, event) for hint in hints if hint is not None)
        except Exception as error:
            # As upstream: a hint that cannot tell does not keep the Pod waiting.
            if not self.clock.failed(self.name, waiting.key, error):
                raise
            return True

    def _helped(self, waiting: Waiting) -> bool:
        """Whether something that came meanwhile may help the Pod; after a wait for a permit, who knows."""
        return self._missed is None or any(
            self._worth_trying(waiting, event, self._interested(event)) for event in self._missed
        )

    def _requeue(self, waiting: Waiting) -> None:
        """Into the queue, unless a PreEnqueue plugin keeps it out."""
        pod = self.pods.get(waiting.key)
        if pod is None:
            return
        info = self.cache.info(pod)
        for plugin in self.frameworks[scheduler_of(pod)].pre_enqueues:
            if self._keeps_out(plugin, info):
                self.queue.gate(waiting, plugin.name)
                return
        self.queue.wake(waiting, self.clock.now, self.clock.causes.roots)
        self._soon()

    def _keeps_out(self, plugin: Plugin, info: PodInfo) -> bool:
        try:
            return plugin.pre_enqueue(info) is not None
        except Exception as error:
            # Who cannot tell keeps the Pod out until it is asked again.
            if not self.clock.failed(self.name, info.key, error):
                raise
            return True

    # ---- clock events ----------------------------------------------------------------------------------

    def _soon(self) -> None:
        if self._run_timer is None:
            self._run_timer = self.clock.call_at(self.clock.beat(self.name, LATENCY), f"{self.name}/run")

    def _run(self) -> None:
        """A slice of attempts; the next slice comes at the same virtual time."""
        self._run_timer = None
        try:
            for _ in range(SLICE):
                waiting = self.queue.take(self.clock.now)
                if waiting is None:
                    break
                self._attempt(waiting)
        finally:
            self._go_on()

    def _go_on(self) -> None:
        if self._run_timer is None and self.queue.has_active(self.clock.now):
            self._run_timer = self.clock.call_at(self.clock.now, f"{self.name}/run")
        elif self.queue.has_backoff():
            self._soon()
        self._await_errors()

    def _attempt(self, waiting: Waiting) -> None:
        self._missed = []
        self.clock.causes.begin(self.name, waiting.key, waiting.roots)
        try:
            self.cycle.run(waiting)
        except Exception as error:
            # The plugins' bug costs this Pod an attempt; those behind it have their turn.
            if not self.clock.failed(self.name, waiting.key, error):
                raise
            self._broken(waiting)
        finally:
            self._missed = None

    def _broken(self, waiting: Waiting) -> None:
        """After a failure of the scheduler's own: as after an error, but in the end nobody waits for it."""
        if self.queue.get(waiting.key) is waiting and waiting.key not in self.cycle.permits:
            self.queue.fail(waiting, self.clock.now)

    def _await_errors(self) -> None:
        """Has one timer for the back-off that ends first; after some errors nobody waits for it."""
        waiting = self.queue.next_error()
        due = waiting.ready_at() if waiting is not None else None
        if self._error_timer is not None:
            if self._error_timer[0] == due:
                return
            self.clock.cancel(self._error_timer[1])
            self._error_timer = None
        if waiting is not None and due is not None:
            patient = waiting.errors < PATIENCE
            self._error_timer = (due, self.clock.call_at(due, f"{self.name}/retry", background=not patient))

    def _retry(self) -> None:
        self._error_timer = None
        self._go_on()

    def _flush(self) -> None:
        for waiting in self.queue.leftover(self.clock.now):
            self._requeue(waiting)
        self.clock.call_later(FLUSH_PERIOD, f"{self.name}/flush", background=True)

    # ---- permits ---------------------------------------------------------------------------------------

    def _allow(self, key: str, plugin: str) -> None:
        permit = self.cycle.permits.get(key)
        if permit is not None and permit.pending.pop(plugin, None) is not None and permit.decided:
            self.clock.call_at(self.clock.now, PERMIT, key)

    def _reject(self, key: str, plugin: str, why: str) -> bool:
        permit = self.cycle.permits.get(key)
        if permit is None:
            return False
        if not permit.refused_by:
            permit.refused_by, permit.refusal = plugin, why
            self.clock.call_at(self.clock.now, PERMIT, key)
        return True

    def _permit(self, key: str) -> None:
        """A Pod's permit may be decided: allowed, refused or out of time."""
        permit = self.cycle.permits.get(key)
        if permit is not None:
            permit.expire(self.clock.now)
            if permit.decided:
                self.cycle.decided(permit)
                self._go_on()

    # ---- saving ----------------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        return {"queue": self.queue.state(), **self._own_state()}

    def _own_state(self) -> dict[str, Any]:
        return {
            "permits": [permit.state() for permit in self.cycle.permits.values()],
            "run": self._run_timer,
            "error": self._error_timer,
            **({"start": self.rotation.start} if self.rotation.start else {}),
        }

    def share(self, other: Scheduler) -> None:
        self.queue.share(other.queue)
        self._take(other._own_state())
        self.cache.share(other.cache)
        self.nominator.share(other.nominator)
        self.cycle.attempts.share(other.cycle.attempts)

    def _take(self, state: dict[str, Any]) -> None:
        self.cycle.permits = {p.key: p for p in map(Permit.load, state["permits"])}
        self._run_timer = state["run"]
        self.rotation.start = state.get("start", 0)
        self._error_timer = tuple(state["error"]) if state["error"] else None

    def load(self, state: dict[str, Any]) -> None:
        self.queue.load(state["queue"])
        self._take(state)
        self.cache.rebuild()
        self.nominator.clear()
        for pod in self.pods.list():
            if not pod["spec"].get("nodeName"):
                permit = self.cycle.permits.get(key_of(pod))
                if permit is not None:
                    self.cycle.assume(pod, permit.node)
                elif nominated_node(pod) and self._is_ours(pod):
                    self.nominator.update(self.cache.info(pod))

    def _is_ours(self, pod: JSON) -> bool:
        """Whether this scheduler has to find a node for that Pod."""
        return scheduler_of(pod) in self.frameworks and not is_finished(pod)
