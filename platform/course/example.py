"""A lesson's played example, as its page shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from course import markdown
from course.text import localized
from labs.kit.examples import Example, Step


@dataclass(frozen=True)
class ShownStep:
    """A step in the reader's language."""

    goal: str
    says: SafeString
    run: str
    output: SafeString
    """What it printed; the lines to look at are marked."""
    time: str


@dataclass(frozen=True)
class ShownExample:
    """An example in the reader's language; `pictures` are the cluster's after each step."""

    title: str
    steps: list[ShownStep]
    pictures: list[dict[str, Any]]


def shown(example: Example | None) -> ShownExample | None:
    """None of a lesson without an example, or one that was not recorded."""
    if example is None or not example.recorded:
        return None
    steps = [_step(step) for step in example.steps]
    pictures = [step.shown.picture for step in example.steps if step.shown is not None]
    return ShownExample(localized(example.title), steps, pictures)


def _step(step: Step) -> ShownStep:
    output, time = (step.shown.output, step.shown.time) if step.shown is not None else ("", "")
    lines = (format_html("<mark>{}</mark>", line) if look else line for line, look in step.looked_at(output))
    return ShownStep(
        localized(step.goal),
        markdown.piece(localized(step.says)),
        step.run.rstrip("\n"),
        format_html_join("\n", "{}", ((line,) for line in lines)),
        time[11:19],
    )
