"""Each field of each served kind is read by somebody, or stands in docs/deviations.md as one that does nothing.

What counts as read is coarse: its name is written somewhere in the engine's code, the published schemas apart. What is
not even that does nothing for certain.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import cluster_engine
from cluster_engine.api import KINDS

ENGINE = Path(cluster_engine.__file__).parent
DOCUMENT = ENGINE.parent / "docs" / "deviations.md"
HEADING = "## Fields without effect"
WORD = re.compile(r"[$A-Za-z][$\w-]*")


def _schemas() -> tuple[dict[str, str], dict[str, dict[str, list[Any]]]]:
    tables = json.loads((ENGINE / "apimachinery" / "types.json").read_text())
    return tables["kinds"], tables["types"]


def _reached() -> list[str]:
    """The types of the served kinds, in all versions, and all that they hold."""
    kinds, types = _schemas()
    found: dict[str, None] = {}

    def walk(name: str) -> None:
        if name in found:
            return
        found[name] = None
        for described in types[name].values():
            held = re.sub(r"^(\[\]|\{\})+", "", described[1].split("=")[0])
            if held in types:
                walk(held)

    for kind in KINDS:
        for form in kind.forms:
            named = kinds.get(f"{form.group}/{form.version}/{form.kind}")
            if named is not None:
                walk(named)
    return list(found)


def unread() -> dict[str, set[str]]:
    """The fields of each type that no code names."""
    words = {word for path in ENGINE.rglob("*.py") for word in WORD.findall(path.read_text())}
    _kinds, types = _schemas()
    fields = {name: {field for field in types[name] if field[0] != "<"} - words for name in _reached()}
    return {name: left for name, left in fields.items() if left}


def listed() -> dict[str, set[str]]:
    """What the document lists: `- Type: field, field`."""
    section = DOCUMENT.read_text().split(HEADING, 1)[1].split("\n## ", 1)[0]
    lines = re.findall(r"^- ([\w.]+): (.*?)$", section, re.MULTILINE)
    return {name: set(re.findall(r"`([^`]+)`", fields)) for name, fields in lines}


def test_what_nobody_reads_stands_in_the_deviations() -> None:
    told = listed()
    missing = {name: sorted(fields - told.get(name, set())) for name, fields in unread().items()}
    assert {name: fields for name, fields in missing.items() if fields} == {}


def test_what_is_listed_is_served() -> None:
    types = _schemas()[1]
    reached = set(_reached())
    for name, fields in listed().items():
        assert name in reached
        assert fields <= set(types[name])


def test_what_is_read_is_found() -> None:
    types = _reached()
    assert {"core.v1.PodSpec", "core.v1.Probe", "batch.v1.JobSpec", "events.v1.Event"} <= set(types)
    assert not unread().get("core.v1.Probe")
