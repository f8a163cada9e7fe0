"""A lesson's example: a right way, played once on a cluster and kept, which the reader steps through.

example.yaml   title, and steps: `goal` (the name of the sub-goal), `run` (commands), `look` (a regular expression: the
               lines of the output to look at), `says` (a sentence about them); `stands: true` where seconds count:
               then only a `sleep` lets time go on, and nothing may be waited for
example.json   the recording: what each step printed, the cluster's time after it, and its picture
               (`labs.kit.recording`)
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

from cluster_engine.component_helpers.shapes import Schema, problems
from labs.kit import located
from labs.kit.located import CatalogError

FILE, RECORDING = "example.yaml", "example.json"
MAX_STEPS = 8
"""Of one example."""


def schema(in_all: Schema) -> Schema:
    """What example.yaml is; `in_all`: of a text in each language."""
    step = {
        "type": "object",
        "required": ["goal", "run", "look", "says"],
        "additionalProperties": False,
        "properties": {
            "goal": in_all,
            "run": {"type": "string", "pattern": r"\S", "description": "commands"},
            "look": {"type": "string", "format": "regex", "description": "a regular expression"},
            "says": in_all,
        },
    }
    return {
        "type": "object",
        "required": ["title", "steps"],
        "additionalProperties": False,
        "properties": {
            "title": in_all,
            "stands": {"type": "boolean"},
            "steps": {"type": "array", "minItems": 2, "items": step, "description": "a list of steps"},
        },
    }


@dataclass(frozen=True)
class Shown:
    """What a step came to when it was recorded."""

    output: str
    time: str
    """The cluster's, as RFC 3339."""
    picture: dict[str, Any]


@dataclass(frozen=True)
class Step:
    """One thing that is done, and what is to be seen then."""

    goal: dict[str, str]
    run: str
    look: str
    says: dict[str, str]
    shown: Shown | None

    def looked_at(self, output: str) -> list[tuple[str, bool]]:
        """The lines of an output, and whether each is one to look at."""
        return [(line, re.search(self.look, line) is not None) for line in output.rstrip("\n").split("\n")]


@dataclass(frozen=True)
class Example:
    """An example, and its recording as far as it is one of these steps."""

    title: dict[str, str]
    steps: tuple[Step, ...]
    stands: bool = False
    """Whether time stands but for a `sleep`, however long a command takes."""

    @property
    def digest(self) -> str:
        """Of what is run: by it a recording knows its steps."""
        return digest_of([step.run for step in self.steps])

    @property
    def recorded(self) -> bool:
        """Whether each step can be shown."""
        return all(step.shown is not None for step in self.steps)


def digest_of(scripts: list[str]) -> str:
    """Of what the steps run."""
    return hashlib.sha256("\0".join(scripts).encode()).hexdigest()[:16]


def read(text: str, name: str, recording: str, in_all: Schema) -> Example:
    """The example of these two files; `recording` may be "". Raises CatalogError."""
    found = located.read(text, name)
    wrong = list(problems(schema(in_all), found.data))
    if wrong:
        raise found.error(wrong)
    steps = found.data["steps"]
    if len(steps) > MAX_STEPS:
        raise CatalogError(f"{name}: steps: expected at most {MAX_STEPS}, found {len(steps)}")
    kept = json.loads(recording) if recording else {}
    if kept.get("of") != digest_of([step["run"] for step in steps]):
        kept = {"steps": [None] * len(steps)}
    return Example(
        title=found.data["title"],
        steps=tuple(
            Step(step["goal"], step["run"], step["look"], step["says"], Shown(**shown) if shown else None)
            for step, shown in zip(steps, kept["steps"], strict=True)
        ),
        stands=found.data.get("stands", False),
    )
