"""The kinds of a cluster: names are taken once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cluster_engine.api import KINDS
from cluster_engine.apimachinery.scheme import Scheme

FIRST = KINDS[0]


@pytest.mark.parametrize("later", [False, True], ids=["made with them", "registered"])
@pytest.mark.parametrize(
    ("kind", "why"),
    [
        pytest.param(replace(FIRST, kind="Other"), f"two kinds are called {FIRST.resource}", id="resource"),
        pytest.param(
            replace(FIRST, resource="others"), f"two kinds of the group '' are called {FIRST.kind}", id="kind"
        ),
    ],
)
def test_names_are_taken_once(kind, why, later):
    with pytest.raises(ValueError, match=why):
        Scheme([FIRST]).register(kind) if later else Scheme([FIRST, kind])


def test_kinds_stand_in_their_order():
    assert Scheme(KINDS).kinds == tuple(KINDS)
