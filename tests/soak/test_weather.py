"""Bad weather: every clock event and every reconcile may raise, by a seeded chance. All gets done nevertheless.

The chance is the cluster's own (by the work's name and how often it was done), so a replay has the same weather.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cluster_engine import Cluster
from cluster_engine.client_go import WorkQueue
from cluster_engine.sim import Clock, Journal

from .size import size

pytestmark = pytest.mark.soak

FAILS = 0.08
WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: nginx
          image: "nginx:1.27"
          readinessProbe: {httpGet: {port: 80}, periodSeconds: 5}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Namespace
metadata: {name: brief}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: note, namespace: brief}
"""


class Hail(Exception):
    """Nothing in the engine expects it."""


def stormy(work: Callable[..., Any], name: str, seed: int) -> Callable[..., Any]:
    """The work, which now and then raises: before it has done anything, or when all is done."""
    chance = random.Random(f"{seed}/{name}")

    def planted(*args: Any) -> None:
        drawn = chance.random()
        if drawn < FAILS / 2:
            raise Hail(name)
        work(*args)
        if drawn < FAILS:
            raise Hail(name)

    return planted


@pytest.fixture
def weather(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    """Spoils the weather for every cluster that is made from then on."""

    def spoil(seed: int) -> None:
        register, new_queue = Clock.register, WorkQueue.__init__

        def stormy_register(self: Clock, handler: str, fn: Callable[..., None]) -> None:
            register(self, handler, stormy(fn, handler, seed))

        def stormy_queue(
            self: WorkQueue, clock: Clock, name: str, reconcile: Callable[[str], None], *more: Any
        ) -> None:
            new_queue(self, clock, name, stormy(reconcile, f"{name}/reconcile", seed), *more)

        monkeypatch.setattr(Clock, "register", stormy_register)
        monkeypatch.setattr(WorkQueue, "__init__", stormy_queue)

    return spoil


@pytest.mark.parametrize("seed", range(size(2, 300)))
def test_the_cluster_gets_there_in_any_weather(seed: int, weather: Callable[[int], None]) -> None:
    weather(seed)
    cluster = Cluster(nodes=2, seed=seed, strict=False)
    cluster.apply(WEB)
    cluster.advance(120)
    cluster.delete("namespaces", "brief")
    for pod in cluster.list("pods", "default", "app=web")[:1]:
        cluster.delete("pods", pod["metadata"]["name"])
    cluster.advance(600)

    assert cluster.get("namespaces", "brief") is None
    pods = cluster.list("pods", "default", "app=web")
    assert len(pods) == 3
    assert cluster.get("deployments", "web")["status"].get("readyReplicas") == 3
    for resource, parts in (("endpointslices", "endpoints"), ("endpoints", "subsets")):
        found = cluster.list(resource, "default")
        assert any(made.get(parts) for made in found if made["metadata"]["name"].startswith("web")), resource
    assert all(node["status"]["conditions"][-1]["status"] == "True" for node in cluster.list("nodes")), (
        "every kubelet still reports"
    )
    assert sum(cluster.clock.failures.counts().values()) > 50

    replayed = Cluster.replay(Journal.from_dict(cluster.journal.as_dict()))
    assert replayed.clock.failures.counts() == cluster.clock.failures.counts()
    assert replayed.state_hash() == cluster.state_hash()
