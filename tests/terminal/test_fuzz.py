"""Random keys and sizes at a terminal: no crash, no hang, and the same screen twice, saved in between or not.

`DRYDOCK_SOAK=1 pytest tests/terminal/test_fuzz.py` runs longer. A failure names its seed.
"""

from __future__ import annotations

import json
import os
import random

from tests.terminal.desk import Desk

COUNT = 5_000 if os.environ.get("DRYDOCK_SOAK") else 40

# fmt: off
KEYS = [
    "a", "世", "e\u0301", " ", "\r", "\t", "\x7f", "\x01", "\x05", "\x15", "\x0b", "\x17", "\x19", "\x14", "\x0c",
    "\x03", "\x04", "\x12", "\x07", "\x1b", "\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D", "\x1b[3~", "\x1b[1;5D", "\x1bd",
    "\x1b[200~x\ny\x1b[201~", "\x1b[200~", "echo 'a", "cat <<E\r", "E\r", "if true\r", "fi\r", "sleep 1\r", "cat\r",
    "ls /\r", "\x1b[", "\x1bO",
]
# fmt: on


def screen(seed: int, saves: bool) -> str:
    chance = random.Random(seed)
    keys = [chance.choice(KEYS) for _ in range(chance.randint(1, 40))]
    desk = Desk({"/h/file": "x\n"}, cols=chance.choice([4, 10, 80]))
    desk.screen.loose = True
    for key in keys:
        desk.console.keys("1", key)
        if chance.random() < 0.1:
            desk.console.resize("1", chance.randint(-1, 100), 5)
        for _ in range(chance.randint(0, 3)):
            desk.console.run(desk.now, 200)
        if saves:
            desk.console.load(json.loads(json.dumps(desk.console.state())))
    desk.advance(2)
    return desk.screen.text()


def test_random_keys() -> None:
    for seed in range(COUNT):
        try:
            straight = screen(seed, False)
            assert seed % 4 or straight == screen(seed, True)
        except Exception as error:
            raise AssertionError(f"seed {seed}") from error
