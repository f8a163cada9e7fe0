"""What all tests share."""

import os

import pytest

from cluster_engine.sim import Failures

# An exception that nobody expected ends the test, here and in every process that a test starts. Tests of faults
# make their clusters with strict=False.
Failures.strict_by_default = True
os.environ["DRYDOCK_STRICT"] = "1"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="write the golden files anew instead of comparing")


@pytest.fixture
def update_goldens(request: pytest.FixtureRequest) -> bool:
    """True when golden files are to be written."""
    return bool(request.config.getoption("--update"))
