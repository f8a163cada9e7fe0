"""What a lesson has its reader complete, as its page shows it."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.safestring import SafeString, mark_safe

from course import markdown
from course.text import localized
from labs.kit.completions import FILL_MAX, GAP, Completion

LEAST, MOST = 12, 44
"""Characters that the field in the gap is wide."""


@dataclass(frozen=True)
class Part:
    """The manifest or the commands, as HTML; the gap, where this part has it, lies between `before` and `after`."""

    language: str
    file: str
    has_gap: bool
    before: SafeString
    after: SafeString


@dataclass(frozen=True)
class ShownOutcome:
    """What may come of it, in the reader's language."""

    fill: str
    right: bool
    says: SafeString


@dataclass(frozen=True)
class ShownCompletion:
    """All of it in the reader's language."""

    title: str
    asks: SafeString
    minutes: int
    parts: list[Part]
    outcomes: list[ShownOutcome]
    width: int
    """Of the field in the gap, in characters."""
    longest: int = FILL_MAX


def shown(completion: Completion | None) -> ShownCompletion | None:
    """None of a lesson without one."""
    if completion is None:
        return None
    manifest = [_part("yaml", completion.file, completion.manifest)] if completion.manifest else []
    widest = max(len(outcome.fill) for outcome in completion.outcomes) + 2
    return ShownCompletion(
        title=localized(completion.title),
        asks=markdown.piece(localized(completion.asks)),
        minutes=completion.minutes,
        parts=[*manifest, _part("sh", "", completion.run)],
        outcomes=[
            ShownOutcome(each.fill, each.right, markdown.piece(localized(each.says)))
            for each in completion.outcomes
        ],
        width=max(LEAST, min(MOST, widest)),
    )


def _part(language: str, file: str, code: str) -> Part:
    before, gap, after = markdown.coloured(language, code).partition(GAP)
    return Part(language, file, bool(gap), mark_safe(before), mark_safe(after))  # escaped by `coloured`
