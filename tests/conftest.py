"""What all tests share."""

import os
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from cluster_engine.sim import Failures
from cluster_engine.wiring import forget_installations

# An exception that nobody expected ends the test, here and in every process that a test starts. Tests of faults
# make their clusters with strict=False.
Failures.strict_by_default = True
os.environ["DRYDOCK_STRICT"] = "1"

# A busy machine is no mistake of what is tested.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


JOURNEYS = {"browser", "stack"}
"""Marks of the tests that tests/journeys has: `make test` looks for them nowhere else."""
LONG = {"slow", "soak"}
"""Marks of the tests that last."""
BESIDE_PROGRAMS = {"browser", "stack", "kubectl"}
"""Marks of the tests whose outcome also depends on what else the machine has to do."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="write the golden files anew instead of comparing")
    parser.addoption("--try-again", action="store_true", help="try once more what fails beside real programs")
    parser.addoption("--pictures", metavar="FOLDER", help="keep pictures of the site as the journeys see it")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With `--try-again`: who shares the machine with a browser or with processes of its own gets a second try.

    Both tries are told at the end. What the engine alone decides has one: there a second outcome is a bug.
    """
    lost = [item.nodeid for item in items if _marks(item) & JOURNEYS and "journeys" not in item.path.parts]
    if lost:
        raise pytest.UsageError(f"journeys lie in tests/journeys: {', '.join(lost)}")
    if hasattr(config, "workerinput"):
        _longest_first(items)
    if config.getoption("--try-again"):
        for item in items:
            if BESIDE_PROGRAMS & _marks(item):
                item.add_marker(pytest.mark.flaky(reruns=1))


def _longest_first(items: list[pytest.Item]) -> None:
    """Files of long tests go first, then those of many: no worker sits over a long one when the others are done."""
    many = Counter(item.path for item in items)
    long = {item.path for item in items if _marks(item) & LONG}
    items.sort(key=lambda item: (item.path not in long, -many[item.path]))


def _marks(item: pytest.Item) -> set[str]:
    return {mark.name for mark in item.iter_markers()}


@pytest.fixture
def update_goldens(request: pytest.FixtureRequest) -> bool:
    """True when golden files are to be written."""
    return bool(request.config.getoption("--update"))


@pytest.fixture(autouse=True)
def _own_installations(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a test changes may change what a boot does: then it boots for itself, and nothing of it is kept."""
    changes = "monkeypatch" in request.fixturenames
    if changes:
        forget_installations()
    yield
    if changes:
        forget_installations()
