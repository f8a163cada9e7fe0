"""Every line of `cases.py` gives what the real busybox and the real GNU tools gave."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.linux.programs.box import Box
from tests.linux.programs.cases import CASES

EXPECTED = json.loads(Path(__file__).with_name("expected.json").read_text())
ROWS = [(flavour, name) for flavour in sorted(EXPECTED) for name in EXPECTED[flavour]]


@pytest.mark.parametrize(("flavour", "name"), ROWS, ids=[f"{flavour}-{name}" for flavour, name in ROWS])
def test_line(flavour: str, name: str) -> None:
    result = Box(flavour).sh(CASES[name])
    assert [result.status, result.out, result.err] == EXPECTED[flavour][name]
