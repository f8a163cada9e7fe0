"""One served cluster and the real kubectl."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from kubectl_driver import Kubectl, serving
from served import USUAL


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubectl]:
    """A cluster whose clock jumps while kubectl waits."""
    with serving(tmp_path_factory.mktemp("kubectl"), *USUAL, "max") as kubectl:
        yield kubectl


@pytest.fixture
def kubectl(served: Kubectl) -> Iterator[Kubectl]:
    """kubectl in a namespace of its own."""
    served.enter()
    yield served
    served.leave()
