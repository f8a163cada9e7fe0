"""Every line again, with the machine cut at random steps, written as JSON and read back: nothing of it shows."""

from __future__ import annotations

import json
import random
import zlib

import pytest

from cluster_engine.linux.machine import Machine
from cluster_engine.linux.programs import program
from tests.linux.programs.box import Box, sound
from tests.linux.programs.cases import CASES

BUDGETS = (1, 3, 17, 100, 1_000, 20_000)
LONG = "big"
"""Cut less often: it moves a megabyte."""


def cut(line: str, flavour: str, chance: random.Random) -> tuple[str, str, dict[int, int]]:
    box = Box(flavour)
    process = box.start("sh", "-c", line)
    box.machine.end_input("s")
    kept: list[tuple[object, str]] = []
    while process not in box.host.exits:
        due = box.machine.run(box.now, chance.choice(BUDGETS))
        if chance.random() < 0.05:
            state = box.machine.state()
            sound(state)
            text = json.dumps(state)
            kept = [*kept[-2:], (state, text)]
            box.machine = Machine("box", box.host, program)
            box.machine.load(json.loads(text))
        assert due is not None or process in box.host.exits
        box.now = max(box.now, due or 0)
    for state, text in kept:
        assert json.dumps(state) == text, "a state that was given out has changed"
    return box.host.out(1), box.host.out(2), box.host.exits


NAMES = [name for name in CASES if name != LONG]
ROWS = [pytest.param(name, marks=() if at % 4 == 0 else pytest.mark.slow) for at, name in enumerate(NAMES)]


@pytest.mark.parametrize("name", ROWS)
def test_cuts(name: str) -> None:
    seed = zlib.crc32(name.encode())
    flavour = "debian" if seed % 2 else "busybox"
    whole = Box(flavour)
    whole.start("sh", "-c", CASES[name])
    whole.machine.end_input("s")
    whole.advance(60_000_000)
    expected = (whole.host.out(1), whole.host.out(2), whole.host.exits)
    assert cut(CASES[name], flavour, random.Random(seed)) == expected, f"seed {seed}"
