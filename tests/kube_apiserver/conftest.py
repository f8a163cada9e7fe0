"""The fixture of these tests: a bare API server."""

import pytest
from apiserver_bench import Bench


@pytest.fixture
def bench() -> Bench:
    """A bare API server with two namespaces."""
    return Bench()
