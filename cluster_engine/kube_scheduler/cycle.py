"""One attempt to schedule one Pod: find a node, take it, bind it, or tell why not.

Models pkg/scheduler/schedule_one.go (scheduleOne, schedulingCycle, bindingCycle, handleSchedulingFailure).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.client_go import Client, Informer
from cluster_engine.component_helpers.pod_conditions import with_pod_condition
from cluster_engine.kube_scheduler.framework import attempts
from cluster_engine.kube_scheduler.framework.attempts import Attempt, Attempts, Tally
from cluster_engine.kube_scheduler.framework.cache import Cache
from cluster_engine.kube_scheduler.framework.interface import CycleState, Plugin
from cluster_engine.kube_scheduler.framework.nominator import nominated_node
from cluster_engine.kube_scheduler.framework.runtime import Framework, tell
from cluster_engine.kube_scheduler.framework.types import PodInfo, placed
from cluster_engine.kube_scheduler.framework.verdicts import Refusal, SchedulingError, Wait
from cluster_engine.kube_scheduler.permits import Permit
from cluster_engine.kube_scheduler.queue import Queue, Waiting
from cluster_engine.sim import SECOND, Clock

PERMIT = "kube-scheduler/permit"
"""The clock event that looks at a Pod's permit."""

MAX_MESSAGE = 1024
"""Characters of an event's message (NoteLengthLimit)."""
MAX_PERMIT = 900 * SECOND
"""µs that a Pod may wait for a permit (maxTimeout)."""
DEFAULT_SCHEDULER = "default-scheduler"
NO_NODES = "no nodes available to schedule pods"
_WHO_KNOWS_NODES = ("NodeName", "NodeResourcesFit")


class Cycle:
    """What an attempt needs, and what it does."""

    def __init__(
        self,
        clock: Clock,
        frameworks: Mapping[str, Framework],
        queue: Queue,
        pods: Informer,
        client: Client,
        helped: Callable[[Waiting], bool],
    ) -> None:
        self.clock = clock
        self.frameworks = frameworks
        self.cache: Cache = next(iter(frameworks.values())).cache
        self.queue = queue
        self.pods = pods
        self.client = client
        self.attempts = Attempts()
        self.permits: dict[str, Permit] = {}
        self._helped = helped
        """Whether an event that came during the attempt may help that Pod."""

    def _framework(self, pod: JSON) -> Framework:
        """That of the Pod's scheduler."""
        return self.frameworks[scheduler_of(pod)]

    def run(self, waiting: Waiting) -> None:
        """One attempt. Raises what a plugin raises that is neither an ApiError nor a SchedulingError."""
        pod = self.pods.get(waiting.key)
        if pod is None or pod["spec"].get("nodeName"):
            self.queue.remove(waiting.key)
            return
        if "deletionTimestamp" in pod["metadata"]:
            self.queue.remove(waiting.key)
            told = f"skip schedule deleting pod: {waiting.key}"
            self._framework(pod).handle.recorder.event(pod, "Warning", "FailedScheduling", told)
            return
        framework = self._framework(pod)
        info = self.cache.info(pod)
        tally = Tally(self.cache.names)
        try:
            if not self.cache.names:
                self._refused(waiting, info, tally, NO_NODES, _WHO_KNOWS_NODES, nominate="")
                return
            finding = framework.find(info, waiting.attempts)
            tally = finding.tally
            if finding.node is not None:
                tally.chosen = finding.node.name
                self._take(waiting, info, finding.state, tally)
            elif finding.diagnosis is not None:
                found = finding.diagnosis
                message = tell(len(self.cache.names), found.refusals, found.everywhere)
                nomination = framework.post_filter(finding.state, info, found)
                nominate = None
                if nomination is not None:
                    message = f"{message} {nomination.message}".rstrip()
                    nominate = None if nomination.keep else nomination.node
                self._refused(waiting, info, tally, message, found.plugins, nominate)
        except (ApiError, SchedulingError) as error:
            self._went_wrong(waiting, info, str(error), tally)
        except Exception:
            self._unreserve(CycleState(), info, tally.chosen)
            raise

    # ---- taking the node -------------------------------------------------------------------------------

    def _take(self, waiting: Waiting, info: PodInfo, state: CycleState, tally: Tally) -> None:
        framework, node = self._framework(info.pod), tally.chosen
        refusal = self._first_refusal([(p, p.reserve) for p in framework.reserves], state, info, node)
        permit = Permit(info.key, node)
        if refusal is None:
            for plugin in framework.permits:
                answer = plugin.permit(state, info, node)
                if isinstance(answer, Wait):
                    wait = min(round(answer.seconds * SECOND), MAX_PERMIT)
                    permit.waits[plugin.name] = wait
                    permit.pending[plugin.name] = self.clock.now + wait
                elif answer is not None:
                    refusal = Refusal(answer.reasons, answer.resolvable, plugin.name)
                    break
        if refusal is not None:
            self._given_up(waiting, info, state, tally, refusal)
        elif permit.pending:
            self._wait(waiting, info, tally, permit)
        else:
            self._bind(waiting, info, state, tally)

    def _first_refusal(
        self,
        steps: list[tuple[Plugin, Callable[..., Refusal | None]]],
        state: CycleState,
        info: PodInfo,
        node: str,
    ) -> Refusal | None:
        for plugin, step in steps:
            refusal = step(state, info, node)
            if refusal is not None:
                return Refusal(refusal.reasons, refusal.resolvable, plugin.name)
        return None

    def _wait(self, waiting: Waiting, info: PodInfo, tally: Tally, permit: Permit) -> None:
        """The Pod holds its node's room, and says so, until its plugins have decided."""
        self.permits[info.key] = permit
        self.assume(info.pod, permit.node)
        for due in permit.pending.values():
            self.clock.call_at(due, PERMIT, info.key, background=True)
        self._record(waiting, info, attempts.WAITING, tally, permit.node)
        self._tell(info, None, permit.node)

    def assume(self, pod: JSON, node: str) -> None:
        """Counts the Pod on the node before it is bound."""
        self.cache.add_pod(placed(pod, node))

    def forget(self, permit: Permit, pod: JSON) -> None:
        """The Pod does not wait for its permit any more, and what was taken for it is given back."""
        del self.permits[permit.key]
        self.cache.remove_pod(placed(pod, permit.node))

    def decided(self, permit: Permit) -> None:
        """Goes on with a Pod whose Permit plugins have all decided. What they kept in their slots is gone."""
        waiting, pod = self.queue.get(permit.key), self.pods.get(permit.key)
        if waiting is None or pod is None:
            return
        self.forget(permit, pod)
        info, state = self.cache.info(pod), CycleState()
        tally = Tally((permit.node,), feasible=[0], refusals=[None], chosen=permit.node)
        try:
            if permit.refused_by:
                refusal = Refusal((permit.refusal,), True, permit.refused_by)
                self._given_up(waiting, info, state, tally, refusal)
            else:
                self._bind(waiting, info, state, tally)
        except (ApiError, SchedulingError) as error:
            self._went_wrong(waiting, info, str(error), tally)

    def _bind(self, waiting: Waiting, info: PodInfo, state: CycleState, tally: Tally) -> None:
        framework, node = self._framework(info.pod), tally.chosen
        refusal = self._first_refusal([(p, p.pre_bind) for p in framework.pre_binds], state, info, node)
        if refusal is not None:
            self._given_up(waiting, info, state, tally, refusal)
            return
        for plugin in framework.binds:
            try:
                if plugin.bind(state, info, node):
                    break
            except ApiError as error:
                raise SchedulingError(f'running Bind plugin "{plugin.name}": {error}') from error
        else:
            raise SchedulingError("no Bind plugin took the Pod")
        self._record(waiting, info, attempts.SCHEDULED, tally, node)
        told = f"Successfully assigned {info.key} to {node}"
        framework.handle.recorder.event(info.pod, "Normal", "Scheduled", told)
        for plugin in framework.post_binds:
            plugin.post_bind(state, info, node)

    # ---- what went otherwise ---------------------------------------------------------------------------

    def _given_up(
        self, waiting: Waiting, info: PodInfo, state: CycleState, tally: Tally, refusal: Refusal
    ) -> None:
        """A plugin refused the Pod after its node was chosen."""
        self._unreserve(state, info, tally.chosen)
        self._refused(waiting, info, tally, tell(1, [refusal]), (refusal.plugin,), nominate="")

    def _unreserve(self, state: CycleState, info: PodInfo, node: str) -> None:
        if node:
            for plugin in self._framework(info.pod).unreserves:
                plugin.unreserve(state, info, node)

    def _refused(
        self,
        waiting: Waiting,
        info: PodInfo,
        tally: Tally,
        message: str,
        plugins: tuple[str, ...],
        nominate: str | None,
    ) -> None:
        """Puts the Pod aside until something changes, and tells its owner. ``nominate``: None keeps it."""
        self.queue.refuse(waiting, plugins, self.clock.now)
        if self._helped(waiting):
            self.queue.wake(waiting, self.clock.now, self.clock.causes.roots)
        self._record(waiting, info, attempts.UNSCHEDULABLE, tally, "", message)
        self._failed(info, "Unschedulable", message, nominate)

    def _went_wrong(self, waiting: Waiting, info: PodInfo, message: str, tally: Tally) -> None:
        """The attempt could not be made: it is made again after a back-off."""
        if self.pods.get(waiting.key) is None:
            self.queue.remove(waiting.key)
            return
        self._unreserve(CycleState(), info, tally.chosen)
        self.queue.fail(waiting, self.clock.now)
        self._record(waiting, info, attempts.ERROR, tally, "", message)
        self._failed(info, "SchedulerError", message, "")

    def _failed(self, info: PodInfo, reason: str, message: str, nominate: str | None) -> None:
        told = message if len(message) <= MAX_MESSAGE else f"{message[: MAX_MESSAGE - 4]} ..."
        recorder = self._framework(info.pod).handle.recorder
        recorder.event(info.pod, "Warning", "FailedScheduling", told)
        condition = {"type": "PodScheduled", "status": "False", "reason": reason, "message": message}
        try:
            self._tell(info, condition, nominate)
        except ApiError as error:
            if error.code not in (404, 409):
                raise

    def _tell(self, info: PodInfo, condition: JSON | None, nominate: str | None) -> None:
        """Writes the condition and the nominated node into the Pod's status, where they are new (updatePod)."""
        pod = self.pods.get(info.key)
        if pod is None:
            return
        before: dict[str, Any] = pod.get("status") or {}
        status = before if condition is None else with_pod_condition(pod, condition, self.clock.timestamp())
        if nominate is not None and nominate != nominated_node(pod):
            status = {name: value for name, value in status.items() if name != "nominatedNodeName"}
            if nominate:
                status["nominatedNodeName"] = nominate
        if status is not before:
            self.client.update_status("pods", {**pod, "status": status})

    def _record(
        self, waiting: Waiting, info: PodInfo, result: str, tally: Tally, node: str, message: str = ""
    ) -> None:
        self.attempts.add(
            Attempt(self.clock.now, info.key, info.uid, waiting.attempts, result, node, message, tally)
        )


def scheduler_of(pod: JSON) -> str:
    """Who has to find a node for the Pod."""
    name: str = pod["spec"].get("schedulerName") or DEFAULT_SCHEDULER
    return name
