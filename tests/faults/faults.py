"""What the tests of faults share: a story, and a fault planted into one method for one object."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cluster_engine import Cluster
from cluster_engine.kube_apiserver import ADMIN, Request
from cluster_engine.sim import Journal


class Planted(Exception):
    """What a planted fault raises: nothing in the engine expects it."""


WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: %s}
spec:
  replicas: 2
  selector: {matchLabels: {app: %s}}
  template:
    metadata: {labels: {app: %s}}
    spec:
      containers:
        - name: nginx
          image: "nginx:1.27"
          readinessProbe: {httpGet: {port: 80}, periodSeconds: 5}
---
apiVersion: v1
kind: Service
metadata: {name: %s}
spec:
  selector: {app: %s}
  ports: [{port: 80}]
"""


def web(name: str) -> str:
    """A Deployment and its Service."""
    return WEB % (name, name, name, name, name)


def ready(cluster: Cluster, name: str) -> bool:
    """Whether the Deployment is all there, behind its Service."""
    deployment = cluster.get("deployments", name)
    slices = cluster.list("endpointslices", "default", f"kubernetes.io/service-name={name}")
    addresses = sum(len(found.get("endpoints") or ()) for found in slices)
    return bool(deployment) and deployment["status"].get("readyReplicas") == 2 and addresses == 2


def plant(
    patch: pytest.MonkeyPatch,
    owner: type,
    method: str,
    wanted: Callable[..., bool] = lambda *_args: True,
    times: int = 1_000_000,
) -> list[tuple[Any, ...]]:
    """Makes ``owner.method`` raise for the first ``times`` calls that ``wanted`` picks; the calls that did."""
    original, hit = getattr(owner, method), []

    def planted(self: Any, *args: Any, **named: Any) -> Any:
        if len(hit) < times and wanted(*args):
            hit.append(args)
            raise Planted(f"planted in {owner.__name__}.{method}")
        return original(self, *args, **named)

    patch.setattr(owner, method, planted)
    return hit


def failing(
    patch: pytest.MonkeyPatch, owner: type, method: str, name: str, wanted: Callable[[int, Any], bool]
) -> list[Any]:
    """Breaks what is handed to ``owner.method(name, work, …)``: a clock's handler, a queue's reconcile.

    In every cluster made from now on, for the calls that ``wanted`` picks by their number in that cluster and their
    arguments.
    """
    original, hit = getattr(owner, method), []

    def wrapped(self: Any, *args: Any, **named: Any) -> Any:
        named_work = (i for i, arg in enumerate(args[:-1]) if arg == name and callable(args[i + 1]))
        place = next(named_work, None)
        if place is None:
            return original(self, *args, **named)
        work, calls = args[place + 1], [0]

        def planted(*given: Any) -> None:
            calls[0] += 1
            if wanted(calls[0], given):
                hit.append(given)
                raise Planted(name)
            work(*given)

        return original(self, *args[: place + 1], planted, *args[place + 2 :], **named)

    patch.setattr(owner, method, wrapped)
    return hit


def same_again(cluster: Cluster) -> None:
    """Replay, fork and snapshot all have the very same failures, and /metrics shows them."""
    told = cluster.clock.failures.state()
    assert told["counts"], "nothing failed"
    page = cluster.request(Request("GET", "/metrics", user=ADMIN)).body.decode()
    for component, count in cluster.clock.failures.counts().items():
        assert f'drydock_failures_total{{component="{component}"}} {count}\n' in page
    replayed = Cluster.replay(Journal.from_dict(cluster.journal.as_dict()))
    assert replayed.clock.failures.state() == told
    assert replayed.state_hash() == cluster.state_hash()
    assert cluster.fork().clock.failures.state() == told
    restored = Cluster.restore(cluster.snapshot())
    assert restored.clock.failures.state() == told
    assert restored.state_hash() == cluster.state_hash()
