"""What the tests of faults share: a story, and a fault planted into one method for one object."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cluster_engine import Cluster
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


def same_again(cluster: Cluster) -> None:
    """Replay, fork and snapshot all have the very same failures."""
    told = cluster.clock.failures.state()
    assert told["counts"], "nothing failed"
    replayed = Cluster.replay(Journal.from_dict(cluster.journal.as_dict()))
    assert replayed.clock.failures.state() == told
    assert replayed.state_hash() == cluster.state_hash()
    assert cluster.fork().clock.failures.state() == told
    restored = Cluster.restore(cluster.snapshot())
    assert restored.clock.failures.state() == told
    assert restored.state_hash() == cluster.state_hash()
