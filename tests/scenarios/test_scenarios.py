"""Named scenarios over the API: what is done, and what a cluster of upstream's rules makes of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from scenario_steps import Scenario
from scenarios_of_disruption import DISRUPTION
from scenarios_of_endings import ENDINGS
from scenarios_of_jobs import BATCH
from scenarios_of_nodes import NODES
from scenarios_of_placement import PLACEMENT
from scenarios_of_probes import PROBES
from scenarios_of_rollouts import ROLLOUTS
from scenarios_of_starts import STARTS
from scenarios_of_storage import STORAGE

from cluster_engine import Cluster

AREAS: dict[str, tuple[int, dict[str, Scenario]]] = {
    "spread and affinity": (60, PLACEMENT),
    "probes and hooks": (40, PROBES),
    "termination": (30, ENDINGS),
    "init and sidecar containers": (30, STARTS),
    "budgets, eviction and drain": (30, DISRUPTION),
    "rollouts": (30, ROLLOUTS),
    "Jobs": (30, BATCH),
    "storage": (30, STORAGE),
    "nodes that run short": (15, NODES),
}
"""Area -> how many there have to be at least, and the table."""


EXPECTING = {
    *(
        "among",
        "annotation",
        "apart",
        "because",
        "bound",
        "condition",
        "count",
        "evict",
        "field",
        "gone",
        "jobs",
    ),
    *("label_of", "logged", "made", "on", "owned", "patch", "phase", "refuse", "revisions", "run", "running"),
    *("running_elsewhere", "said", "serves", "spread", "status", "status_of", "tainted", "there", "unsaid"),
    *("versions_of", "volumes"),
}
"""Steps that expect something (a patch and an eviction their answers, a run its success)."""


def _rows() -> Iterator[object]:
    for area, (_least, table) in AREAS.items():
        for name, scenario in table.items():
            yield pytest.param(scenario, id=f"{area}: {name}")


@pytest.fixture(scope="module")
def base() -> Cluster:
    """Four workers and nothing else."""
    return Cluster(nodes=4, seed=11, addons=False, control_plane=False, freezing=True)


@pytest.mark.slow
@pytest.mark.parametrize("scenario", _rows())
def test_scenario(base: Cluster, scenario: Scenario) -> None:
    cluster = base.fork()
    for step in scenario[1]:
        step(cluster)


def test_there_are_enough_of_each_area() -> None:
    counts = {area: len(table) for area, (_least, table) in AREAS.items()}
    short = {area: counts[area] for area, (least, _table) in AREAS.items() if counts[area] < least}
    assert short == {}
    assert sum(counts.values()) >= 300


@pytest.mark.parametrize("area", AREAS)
def test_each_scenario_names_a_rule_and_expects_something(area: str) -> None:
    """Its last step expects; what only does something would prove nothing."""
    for name, (rule, steps) in AREAS[area][1].items():
        assert rule, name
        assert steps[-1].__qualname__.split(".")[0] in EXPECTING, (name, steps[-1].__qualname__)
