"""What a kind of check is: its key in lab.yaml, the shape of its data, and what judges by it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cluster_engine.component_helpers.shapes import Schema
from labs.kit.checking import Judge, Reader

JSON = dict[str, Any]


@dataclass(frozen=True)
class Context:
    """What a check may refer to beside its own data."""

    functions: Mapping[str, Callable[[Reader], None]]
    """Those of the lab's check.py."""
    build: Callable[[JSON], Judge]
    """Makes the judge of a check inside a check, from data of the shape ``{key: …}``."""


@dataclass(frozen=True)
class CheckKind:
    """One line of the table KINDS."""

    key: str
    about: str
    """One sentence for the handbook and for editors."""
    schema: Schema
    build: Callable[[Any, Context], Judge]
    """Raises ValueError for data that the schema lets through and that cannot be meant."""
    of_moments: bool = False
    """Whether its judges are Snapshots: what they look at can be asked of the past."""
    of_past: bool = False
    """Whether it asks for the cluster's past itself."""


NAME: Schema = {"type": "string", "description": "a name"}
NAMESPACE: Schema = {"type": "string", "description": "a namespace; `default` when it is left out"}
LABELS: Schema = {
    "type": "string",
    "format": "label-selector",
    "description": "a label selector, like app=web,tier!=db",
}
KIND_NAME: Schema = {"type": "string", "description": "a kind, like Deployment"}
LOOK: Schema = {
    "type": "string",
    "description": "the command that shows what is wrong, in place of the derived one",
}


def mapping(required: tuple[str, ...], **properties: Schema) -> Schema:
    """The schema of a mapping without unknown fields."""
    return {
        "type": "object",
        "required": list(required),
        "additionalProperties": False,
        "properties": properties,
    }
