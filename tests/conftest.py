"""What all tests share."""

import os
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


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="write the golden files anew instead of comparing")
    parser.addoption("--pictures", metavar="FOLDER", help="keep pictures of the site as the journeys see it")


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
