"""A lab's instructions, a step at a time: each heading of the second level opens one."""

from __future__ import annotations

import re
from dataclasses import dataclass

from labs.kit.catalog import Lab, Text

_HEADING = re.compile(r"^## +(?:\d+\. *)?(.+?) *$", re.MULTILINE)


@dataclass(frozen=True)
class Step:
    """One step: its title, its text in Markdown without the heading, the ids of its checks."""

    id: str
    title: Text
    text: Text
    checks: tuple[str, ...]


def steps_of(lab: Lab) -> tuple[Text, tuple[Step, ...]]:
    """What stands before the first step, and the steps; the checks belong to the last one."""
    parts = {language: _HEADING.split(text) for language, text in lab.instructions.items()}
    intro = {language: pieces[0] for language, pieces in parts.items()}
    count = min(len(pieces) for pieces in parts.values()) // 2
    checks = tuple(check.id for check in lab.checks)
    steps = tuple(
        Step(
            id=f"step-{number + 1}",
            title={language: pieces[2 * number + 1] for language, pieces in parts.items()},
            text={language: pieces[2 * number + 2] for language, pieces in parts.items()},
            checks=checks if number == count - 1 else (),
        )
        for number in range(count)
    )
    return intro, steps
