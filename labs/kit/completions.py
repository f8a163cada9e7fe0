"""What a lesson has its reader complete: a manifest and commands with one gap, and what comes of what is filled in.

complete.yaml  title; `asks` (what is to be reached); minutes; `file` and `manifest`, which may be missing; `run`
               (commands); `outcomes`, each with `fill` (something that leads to it), `shows` (a regular expression,
               RE2: what was printed then), `right: true` where it is what was asked for, and `says` (why it is so)

The gap is written ``____`` and stands once, in the manifest or in the commands. All of it runs on a copy of a cluster
as it was at the start; the first outcome whose expression matches is what happened. The sweep fills in each `fill`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import re2

from cluster_engine.component_helpers.shapes import Schema, problems
from labs.kit import located
from labs.kit.located import CatalogError
from labs.kit.words import Text

FILE = "complete.yaml"
GAP = "____"
FILL_MAX = 200
"""Characters of what is filled in."""


def schema(in_all: Schema) -> Schema:
    """What complete.yaml is; `in_all`: of a text in each language."""
    words: Schema = {"type": "string", "pattern": r"\S", "description": "text"}
    outcome = {
        "type": "object",
        "required": ["fill", "shows", "says"],
        "additionalProperties": False,
        "properties": {
            "fill": words,
            "shows": {"type": "string", "format": "regex", "description": "a regular expression (RE2)"},
            "right": {"type": "boolean"},
            "says": in_all,
        },
    }
    return {
        "type": "object",
        "required": ["title", "asks", "minutes", "run", "outcomes"],
        "additionalProperties": False,
        "properties": {
            "title": in_all,
            "asks": in_all,
            "minutes": {"type": "integer", "minimum": 1},
            "file": words,
            "manifest": words,
            "run": words,
            "outcomes": {
                "type": "array",
                "minItems": 2,
                "items": outcome,
                "description": "a list of outcomes",
            },
        },
    }


@dataclass(frozen=True)
class Outcome:
    """What may come of it."""

    fill: str
    shows: str
    right: bool
    says: Text


@dataclass(frozen=True)
class Completion:
    """What is to be completed."""

    title: Text
    asks: Text
    minutes: int
    file: str
    """The manifest's name in the home folder; "" without one."""
    manifest: str
    run: str
    outcomes: tuple[Outcome, ...]

    def filled(self, fill: str) -> tuple[str, str]:
        """The manifest and the commands without the gap. Raises ValueError for what cannot be filled in."""
        if not fill or len(fill) > FILL_MAX or not fill.isprintable():
            raise ValueError(f"expected one line of 1 to {FILL_MAX} characters")
        return self.manifest.replace(GAP, fill), self.run.replace(GAP, fill)

    def happened(self, output: str) -> int | None:
        """The number of the outcome that an output shows; None where it shows none of them."""
        found = (number for number, each in enumerate(self.outcomes) if _shows(each.shows, output))
        return next(found, None)


def _shows(pattern: str, output: str) -> bool:
    return re2.search(f"(?m){pattern}", output) is not None


def read(text: str, name: str, in_all: Schema) -> Completion:
    """What stands in this file. Raises CatalogError."""
    found = located.read(text, name)
    wrong = list(problems(schema(in_all), found.data))
    if wrong:
        raise found.error(wrong)
    data: dict[str, Any] = found.data
    manifest, run = data.get("manifest", ""), data["run"]
    if (manifest + run).count(GAP) != 1:
        raise CatalogError(f"{name}: expected one gap ({GAP}), found {(manifest + run).count(GAP)}")
    if bool(manifest) != bool(data.get("file")):
        raise CatalogError(f"{name}: expected `file` and `manifest` together")
    outcomes = tuple(
        Outcome(each["fill"], each["shows"], each.get("right", False), each["says"])
        for each in data["outcomes"]
    )
    if not any(each.right for each in outcomes):
        raise CatalogError(f"{name}: outcomes: expected one that is right")
    return Completion(
        data["title"], data["asks"], data["minutes"], data.get("file", ""), manifest, run, outcomes
    )
