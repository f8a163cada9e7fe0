"""A served cluster a session, and a namespace for each action."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from journey import Column, Refused, able, eventually
from served import USUAL, serving

_numbers = count(1)


@pytest.fixture(scope="session")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Of a cluster that lives a hundred times as fast as we do, so that its past is compacted within seconds."""
    with serving(tmp_path_factory.mktemp("clients"), *USUAL, "100") as path:
        yield path


@pytest.fixture(scope="module")
def client(request: pytest.FixtureRequest, kubeconfig: Path) -> Iterator[Column]:
    """The module's column, at work."""
    column = request.module.COLUMN(kubeconfig)
    yield column
    column.close()


@pytest.fixture
def namespace(client: Column) -> str:
    """A fresh one, made by the client itself, with its account."""
    name = f"client-{next(_numbers)}"
    client.create("namespaces", "", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})

    def account() -> bool:
        try:
            return bool(client.read("serviceaccounts", name, "default"))
        except Refused:
            return False

    eventually(account, "the namespace's account")
    return name


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test with the argument `action` runs for each row that the module's column can do."""
    if "action" in metafunc.fixturenames:
        metafunc.parametrize("action", able(metafunc.module.COLUMN), ids=lambda action: action.name)
