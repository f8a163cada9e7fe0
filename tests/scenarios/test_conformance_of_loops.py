"""Upstream's conformance suite, as far as it needs controllers and the scheduler; its page is made with `--update`."""

from __future__ import annotations

from pathlib import Path

import pytest
from scenarios_of_conformance import CONFORMANCE

from cluster_engine import Cluster

PAGE = Path(__file__).resolve().parents[2] / "docs" / "conformance-loops.md"
BEHAVIOURS = 75
"""That the suite has of this class."""


@pytest.fixture(scope="module")
def base() -> Cluster:
    return Cluster(nodes=4, seed=12, addons=False, control_plane=False, freezing=True)


@pytest.mark.slow
@pytest.mark.parametrize("codename", CONFORMANCE)
def test_behaviour(base: Cluster, codename: str) -> None:
    cluster = base.fork()
    for step in CONFORMANCE[codename][1]:
        step(cluster)


def page() -> str:
    """The document."""
    lines = [
        "# Conformance of the control loops",
        "",
        "What upstream's conformance suite asks of controllers and the scheduler. Each behaviour is a row of",
        "`tests/scenarios/scenarios_of_conformance.py`, by its codename.",
        f"{len(CONFORMANCE)} of {BEHAVIOURS} are shown.",
        "",
        "| Behaviour | What it shows |",
        "|---|---|",
        *(f"| {name} | {summary} |" for name, (summary, _steps) in CONFORMANCE.items()),
    ]
    return "\n".join(lines) + "\n"


def test_the_page_of_loops_is_what_the_tests_show(update_goldens: bool) -> None:
    if update_goldens:
        PAGE.write_text(page())
    assert PAGE.read_text() == page()
    assert len(CONFORMANCE) <= BEHAVIOURS
