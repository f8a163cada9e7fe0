"""A lab's wrong answers: which checks each fails, and which check each fails alone.

A wrong answer is a script of `wrong/`. A line `# fails: <check> …` names the checks that it fails, all others pass;
a line `# after: <solution>` has it go on from where that solution ended.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from labs.kit.lab import Lab

WRONG = "wrong/"
"""The folder of a lab's wrong answers."""
_FAILS = re.compile(r"^# fails: (.+)$", re.MULTILINE)
_AFTER = re.compile(r"^# after: (.+)$", re.MULTILINE)


def expected_failures(script: str) -> list[str]:
    """The ids in a wrong answer's ``# fails:`` line, in order."""
    match = _FAILS.search(script)
    return match.group(1).split() if match else []


def goes_on_from(script: str) -> str:
    """The solution in a wrong answer's ``# after:`` line, from whose end it goes on; "" when there is none."""
    match = _AFTER.search(script)
    return match.group(1).strip() if match else ""


def alone(lab: Lab) -> dict[str, str]:
    """By check: the wrong answer that fails it and no other, or the sentence that says why none can; "" for neither."""
    found = {check.id: check.never_alone for check in lab.checks}
    for name, script in lab.wrong.items():
        match expected_failures(script):
            case [check] if check in found:
                found[check] = f"{WRONG}{name}"
    return found


def problems(lab: Lab) -> Iterator[str]:
    """What is wrong with what the wrong answers say of themselves, and which checks want one."""
    ids = [check.id for check in lab.checks]
    covered: set[str] = set()
    for name, script in lab.wrong.items():
        named = expected_failures(script)
        covered |= set(named)
        if not named:
            yield f"wrong/{name}: a line `# fails: <check> …` is missing"
        for unknown in [each for each in named if each not in ids]:
            yield f"wrong/{name}: there is no check {unknown!r}; there are {', '.join(ids)}"
        before = goes_on_from(script)
        if before and before not in lab.solutions:
            yield f"wrong/{name}: after: expected one of {', '.join(lab.solutions)}, found {before!r}"
    answers = alone(lab)
    for check in lab.checks:
        answer = answers[check.id]
        if check.id not in covered:
            yield f"wrong/: no wrong answer fails the check {check.id!r}"
        elif not answer:
            yield (
                f"wrong/: no wrong answer fails the check {check.id!r} and no other: "
                "expected one, or a sentence under never_alone in lab.yaml why there can be none"
            )
        elif check.never_alone and answer != check.never_alone:
            yield f"lab.yaml: checks.{check.id}.never_alone: {answer} fails it alone"
