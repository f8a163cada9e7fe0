"""The ResourceQuota controller: counts what a namespace uses of each quota.

Models pkg/controller/resourcequota. What is added is charged at admission; here everything is counted anew when a quota
is made or changed, when something that it may count goes, when a Pod ends, and every five minutes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cluster_engine.apimachinery.cow import JSON, key_of
from cluster_engine.client_go import Change
from cluster_engine.component import Context, Controller
from cluster_engine.component_helpers import quota as rules
from cluster_engine.component_helpers.pod_phase import is_finished
from cluster_engine.component_helpers.quota import Usage

RESYNC = 300.0
"""Seconds after which a quota is counted anew, whatever happened (--resource-quota-sync-period)."""
_QUOTAS = "resourcequotas"
_IGNORED = frozenset({"events"})
_CHANGING = ("services", "persistentvolumeclaims")


class ResourceQuotaController(Controller):
    """Keeps ``status.hard`` as the spec says and ``status.used`` as the namespace is."""

    name = "resourcequota-controller"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.quotas = ctx.informers.of(_QUOTAS)
        self.quotas.on(add=self._quota_added, update=self._quota_updated)
        self._watched: set[str] = set()

    def load(self, state: dict[str, Any]) -> None:
        if self.quotas.list():
            self._follow_kinds()

    def _quota_added(self, quota: JSON) -> None:
        self._follow_kinds()
        self.queue.add(key_of(quota))

    def _follow_kinds(self) -> None:
        """From the first quota on, whatever one may count is followed."""
        if not self._watched:
            self.ctx.scheme.follow(self._kinds_changed)

    def _kinds_changed(self) -> None:
        for kind in self.ctx.scheme.kinds:
            resource = kind.group_resource
            if kind.namespaced and "list" in kind.verbs and resource not in self._watched | _IGNORED:
                self._watched.add(resource)
                informer = self.ctx.informers.of(resource)
                if resource == "pods":
                    informer.on(update=self._pod_updated)
                elif resource in _CHANGING:
                    informer.on(update=self._updated(resource))
                informer.on(delete=self._gone(resource))

    def _quota_updated(self, change: Change) -> None:
        if change.spec:
            self.queue.add(change.key)

    def _gone(self, resource: str) -> Callable[[JSON], None]:
        return lambda obj: self._look(resource, obj["metadata"]["namespace"])

    def _updated(self, resource: str) -> Callable[[Change], None]:
        def updated(change: Change) -> None:
            if change.spec:
                self._look(resource, change.new["metadata"]["namespace"])

        return updated

    def _pod_updated(self, change: Change) -> None:
        if change.status and is_finished(change.new) and not is_finished(change.old):
            self._look("pods", change.new["metadata"]["namespace"])

    def _look(self, resource: str, namespace: str) -> None:
        if not self.quotas.count_by_index("namespace", namespace):
            return
        for quota in self.quotas.list(namespace):
            if any(rules.counts(resource, name) for name in quota["spec"].get("hard") or {}):
                self.queue.add(key_of(quota))

    def reconcile(self, key: str) -> None:
        quota = self.quotas.get(key)
        if quota is None:
            return
        self.queue.add_after(key, RESYNC, background=True)
        hard = quota["spec"].get("hard") or {}
        old = quota.get("status") or {}
        status: JSON = {"hard": hard, "used": self._used({**quota, "status": {"hard": hard}})} if hard else {}
        if status != old:
            self.client.update_status(_QUOTAS, {**quota, "status": status})

    def _used(self, quota: JSON) -> Usage:
        """What the namespace's objects use of each resource that the quota names."""
        hard = quota["status"]["hard"]
        total: Usage = dict.fromkeys(hard, "0")
        for resource in dict.fromkeys(map(rules.resource_counted_by, hard)):
            if resource not in self._watched:
                continue  # a quota may name what is not served (yet)
            for obj in self.ctx.informers.of(resource).list(quota["metadata"]["namespace"]):
                if rules.concerns(quota, resource, obj):
                    usage = rules.usage_of(resource, obj, self.clock.now)
                    total = rules.add(total, {name: more for name, more in usage.items() if name in hard})
        return total
