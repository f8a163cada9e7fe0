"""The table of kinds is complete and sound."""

from pathlib import Path

import pytest

from cluster_engine import api
from cluster_engine.api import KINDS
from cluster_engine.apimachinery import table
from cluster_engine.apimachinery.scheme import Kind

ROOM = Path(api.__file__).parent
IDS = [kind.group_resource for kind in KINDS]


def test_every_kind_file_is_listed() -> None:
    files = {path.stem for path in ROOM.glob("*/v*/*.py") if "\nKIND = Kind(" in path.read_text()}
    assert files == {kind.kind.lower() for kind in KINDS}


def test_no_name_is_taken_twice() -> None:
    taken = [name for kind in KINDS for name in {kind.resource, kind.singular, *kind.short_names}]
    assert len(taken) == len(set(taken))


@pytest.mark.parametrize("kind", KINDS, ids=IDS)
def test_columns_are_described(kind: Kind) -> None:
    for column in table.column_definitions(kind):
        assert column["description"], column["name"]
        assert not column["description"].startswith("#")


def test_what_kubectl_get_all_shows() -> None:
    assert sorted(kind.resource for kind in KINDS if "all" in kind.categories) == [
        "cronjobs", "daemonsets", "deployments", "horizontalpodautoscalers", "jobs", "pods", "replicasets",
        "replicationcontrollers", "services", "statefulsets",
    ]  # fmt: skip
