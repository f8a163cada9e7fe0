"""Upstream's conformance suite, as far as it needs controllers and the scheduler."""

from __future__ import annotations

import pytest
from scenarios_of_conformance import CONFORMANCE

from cluster_engine import Cluster


@pytest.fixture(scope="module")
def base() -> Cluster:
    return Cluster(nodes=4, seed=12, addons=False, control_plane=False, freezing=True)


@pytest.mark.slow
@pytest.mark.parametrize("codename", CONFORMANCE)
def test_behaviour(base: Cluster, codename: str) -> None:
    cluster = base.fork()
    for step in CONFORMANCE[codename][1]:
        step(cluster)
