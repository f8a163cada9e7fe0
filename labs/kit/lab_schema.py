"""The JSON Schema of lab.yaml: what the loader accepts, and what an editor completes by (labs/lab.schema.json)."""

from __future__ import annotations

from typing import Any

import orjson

from cluster_engine.component import MAX_CONTROL_PLANES
from cluster_engine.component_helpers.shapes import Schema
from cluster_engine.container_runtime import declared
from labs.kit import checks, variables
from labs.kit.checks import acts

TYPES = ("guided", "challenge", "repair", "prediction")
MAX_NODES = 20
MAX_MINUTES = 180
MAX_POINTS = 20

_SLUG: Schema = {"type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$"}
_ID: Schema = {**_SLUG, "description": "lower-case words with dashes"}


def _or_variable(schema: Schema) -> Schema:
    """The schema, or a text that is nothing but a variable: numbers of checks may be drawn from the seed."""
    if schema.get("type") in ("integer", "number", "boolean"):
        words = {"integer": "a whole number", "number": "a number", "boolean": "true or false"}
        about = schema.get("description") or words[schema["type"]]
        place = {"type": "string", "pattern": variables.WHOLE}
        return {"anyOf": [schema, place], "description": about}
    return {key: _map(key, value) for key, value in schema.items()}


def _map(key: str, value: Any) -> Any:
    if key in ("properties", "$defs"):
        return {name: _or_variable(item) for name, item in value.items()}
    if key in ("items", "additionalProperties") and isinstance(value, dict):
        return _or_variable(value)
    if key in ("anyOf", "oneOf"):
        return [_or_variable(item) for item in value]
    return value


_CHECK: Schema = {
    "type": "object",
    "required": ["id"],
    "additionalProperties": False,
    "properties": {
        "id": {**_ID, "description": "lower-case words with dashes, unique in the lab"},
        "points": {"type": "integer", "minimum": 1, "maximum": MAX_POINTS},
        "guard": {
            "type": "boolean",
            "description": "true: it forbids harm; it holds untouched, and counts once another check passes",
        },
        "sticky": {
            "type": "boolean",
            "description": f"true: it is enough to have held once ({', '.join(checks.MOMENTS)} only)",
        },
        "never_alone": {
            "type": "string",
            "pattern": r"\S",
            "description": "why no answer can fail it and pass all others, where no wrong answer does",
        },
        **{name: _or_variable(schema) for name, schema in checks.properties(checks.KINDS).items()},
    },
    "oneOf": [{"required": [kind.key]} for kind in checks.KINDS],
}

SCHEMA: Schema = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "A lab of Drydock",
    "type": "object",
    "required": ["type", "difficulty", "minutes", "steps", "checks"],
    "additionalProperties": False,
    "properties": {
        "slug": {**_ID, "description": "lower-case words with dashes; the folder's name when left out"},
        "type": {"enum": list(TYPES), "description": "guided, challenge, repair or prediction"},
        "difficulty": {"type": "integer", "minimum": 1, "maximum": 5},
        "minutes": {"type": "integer", "minimum": 1, "maximum": MAX_MINUTES},
        "nodes": {"type": "integer", "minimum": 1, "maximum": MAX_NODES},
        "cluster": {
            "type": "object",
            "description": "what its cluster has that others have not",
            "additionalProperties": False,
            "properties": {
                "cloud": {"type": "boolean", "description": "true: it stands on the simulated cloud"},
                "scheduler": {
                    "type": "object",
                    "description": "a KubeSchedulerConfiguration (kubescheduler.config.k8s.io/v1)",
                },
                "control_planes": {
                    "enum": [1, 3, MAX_CONTROL_PLANES],
                    "description": "how many of its nodes are of the control plane; 1 without it",
                },
                "kubelets": {
                    "type": "object",
                    "additionalProperties": {"type": "object"},
                    "description": "flags of kubelets, by their nodes: {worker-1: {register-node: false}}",
                },
                "admission": {
                    "type": "array",
                    "items": {"enum": ["AlwaysPullImages"]},
                    "description": "admission plugins that are on beside the usual ones",
                },
                "images": _or_variable(declared.SCHEMA),
                "audit": {
                    "type": "object",
                    "description": "a Policy (audit.k8s.io/v1): the API server writes an audit log",
                },
            },
        },
        "faults": {
            "type": "boolean",
            "description": "whether the map offers what can be broken; true without it",
        },
        "seed": {
            "type": "integer",
            "minimum": 0,
            "description": "one cluster for everybody; without it each run draws its own",
        },
        "concepts": {"type": "array", "items": _ID},
        "prerequisites": {"type": "array", "items": _ID, "description": "labs that come before"},
        "next": {**_ID, "description": "the lab that follows; the course's order when left out"},
        "variables": variables.SCHEMA,
        "start": {
            "type": "array",
            "items": _or_variable(acts.SCHEMA),
            "description": "what is done after setup.yaml and before the learner begins",
        },
        "steps": {
            "type": "array",
            "minItems": 1,
            "description": "the steps, in order; `## Title {#id}` in the language files opens each",
            "items": {
                "type": "object",
                "required": ["id"],
                "additionalProperties": False,
                "properties": {"id": _ID, "checks": {"type": "array", "items": _ID}},
            },
        },
        "checks": {"type": "array", "minItems": 1, "items": _CHECK},
        "mutants": {
            "type": "array",
            "description": "fields of the solutions that may be otherwise, although no check notices it",
            "items": {
                "type": "object",
                "required": ["field", "why"],
                "additionalProperties": False,
                "properties": {
                    "field": {
                        "type": "string",
                        "format": "regex",
                        "description": "a regular expression (RE2) that a line of `lab mutate` matches",
                    },
                    "why": {"type": "string", "description": "why the answer is a correct one"},
                },
            },
        },
    },
    "$defs": {name: _or_variable(schema) for name, schema in checks.DEFS.items()},
}


def as_json() -> str:
    """The file for editors."""
    return orjson.dumps(SCHEMA, option=orjson.OPT_INDENT_2).decode() + "\n"
