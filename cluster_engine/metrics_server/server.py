"""The component: when it looks, and what it tells."""

from __future__ import annotations

import weakref
from dataclasses import replace
from functools import cached_property
from typing import Any, Self

from cluster_engine.api.apiregistration.v1.apiservice import RESOURCE, available
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.scheme import Kind
from cluster_engine.client_go import Change
from cluster_engine.component import Component, Context
from cluster_engine.metrics_server import kinds
from cluster_engine.metrics_server.storage import Sample, node_metrics, pod_metrics
from cluster_engine.sim import SECOND

RESOLUTION = 15
"""Seconds between two looks (--metric-resolution)."""
_API_SERVICE = f"{kinds.VERSION}.{kinds.GROUP}"
_SCRAPE = "metrics-server/scrape"


class MetricsServer(Component):
    """Looks at all nodes while its API is available."""

    name = "metrics-server"
    process = "metrics-server"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.before: Sample | None = None
        self.last: Sample | None = None
        self._timer: int | None = None
        ctx.clock.register(_SCRAPE, self._scrape)
        self.api_services = ctx.informers.of(RESOURCE)
        self.api_services.on(add=self._seen, update=self._changed, delete=self._gone)

    # ---- whether it works --------------------------------------------------------------------------------

    def _seen(self, api_service: JSON) -> None:
        if api_service["metadata"]["name"] != _API_SERVICE:
            return
        condition = available(api_service)
        if condition and condition["status"] == "True" and api_service["spec"].get("service"):
            self._serve()
            if self._timer is None:
                self._timer = self.clock.call_at(self.clock.now, _SCRAPE, background=True)
        else:
            self._stop()

    def _changed(self, change: Change) -> None:
        self._seen(change.new)

    def _gone(self, api_service: JSON) -> None:
        if api_service["metadata"]["name"] == _API_SERVICE:
            self._stop()

    @cached_property
    def _kinds(self) -> tuple[Kind, Kind]:
        """What is served, once it is: of our own looks."""
        # Documents about kinds are kept for a while in the process (kube_apiserver/discovery.py), clusters are not.
        own = weakref.proxy(self)
        return (
            replace(kinds.NODES, computed=lambda world: node_metrics(own, world)),
            replace(kinds.PODS, computed=lambda world: pod_metrics(own, world)),
        )

    def _serve(self) -> None:
        """Has the scheme hold both kinds, worked out of our own looks: a fork's scheme came with its original's."""
        for kind in self._kinds:
            found = self.ctx.scheme.find(kind.group_resource)
            if found is not kind:
                if found is not None:
                    self.ctx.scheme.unregister(kind.group_resource)
                self.ctx.scheme.register(kind)

    def _stop(self) -> None:
        self.clock.cancel(self._timer)
        self._timer = self.before = self.last = None
        for kind in self._kinds:
            if self.ctx.scheme.find(kind.group_resource) is not None:
                self.ctx.scheme.unregister(kind.group_resource)

    # ---- looks -------------------------------------------------------------------------------------------

    def _scrape(self) -> None:
        """Clock event: asks each kubelet; one that cannot be reached is left out."""
        nodes = self.ctx.server.node_proxy.all()
        found = {name: usage for name, api in nodes if (usage := api.usage()) is not None}
        self.before, self.last = self.last, Sample(self.clock.now, found)
        self._timer = self.clock.call_at(self.clock.now + RESOLUTION * SECOND, _SCRAPE, background=True)

    # ---- saving ------------------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        if self._timer is None:
            return {}
        samples = [sample and [sample.at, sample.nodes] for sample in (self.before, self.last)]
        return {"timer": self._timer, "samples": samples}

    def load(self, state: dict[str, Any]) -> None:
        self._timer = state.get("timer")
        samples = state.get("samples") or [None, None]
        self.before, self.last = (saved and Sample(saved[0], saved[1]) for saved in samples)
        if self._timer is not None:
            self._serve()

    def share(self, other: Self) -> None:
        self.load(other.state())
