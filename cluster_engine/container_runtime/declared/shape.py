"""What may be said of an image as data, and how much of it: a JSON Schema, which editors complete by too."""

from __future__ import annotations

from typing import Any

from cluster_engine.component_helpers.shapes import Schema

MAX_IMAGES = 16
MAX_TAGS = 10
"""Of one image."""
MAX_ROUTES = 32
MAX_BODY = 8_192
"""Characters of an answer's body."""
MAX_FILES = 32
MAX_FILE = 16_384
"""Characters of a file."""
MAX_LINE = 512
"""Characters of a line of the log, of a variable's value, of a header."""
MAX_LINES = 32
"""Lines that it says when it starts."""
MAX_TEXT = 128 * 1024
"""Bytes of all images of a cluster as YAML: they are part of its options, which each keyframe holds."""
MAX_SECONDS = 86_400
MAX_MIB = 65_536
MAX_SIZE = 4_000
"""Megabytes of an image."""
MAX_CPU = 4_000
"""Thousandths of a processor: what a node has."""
MAX_NEEDS = 16
MAX_MAPPING = 32
"""Variables of an image, headers of an answer."""

BASES = ("alpine", "debian", "distroless")

_TAG = "^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$"


def _seconds(about: str) -> Schema:
    return {"type": "number", "minimum": 0, "maximum": MAX_SECONDS, "description": f"seconds {about}"}


def _line(about: str) -> Schema:
    return {"type": "string", "maxLength": MAX_LINE, "description": about}


def _whole(low: int, high: int, about: str) -> Schema:
    return {"type": "integer", "minimum": low, "maximum": high, "description": about}


def _table(about: str, properties: dict[str, Any]) -> Schema:
    return {
        "type": "object",
        "additionalProperties": False,
        "description": f"a mapping: {about}",
        "properties": properties,
    }


def _texts(about: str, most: int, longest: int) -> Schema:
    return {
        "type": "object",
        "maxProperties": most,
        "additionalProperties": {"type": "string", "maxLength": longest, "description": "text"},
        "description": f"a mapping: {about}",
    }


_CODE = _whole(0, 255, "an exit code, 0 to 255")
_STATUS = _whole(200, 599, "an HTTP status, 200 to 599")
_BODY: Schema = {
    "type": "string",
    "maxLength": MAX_BODY,
    "description": "text, in which $(NAME) stands for a variable of the container",
}

_ROUTE = _table(
    "what the server answers at that path",
    {
        "status": _STATUS,
        "body": _BODY,
        "file": _line("the path of a file whose content is the answer; 404 while it is not there"),
        "headers": _texts("header -> value", MAX_MAPPING, MAX_LINE),
        "delay": _seconds("until it answers"),
        "cpu": _whole(0, 10_000, "milliseconds of a processor that an answer takes"),
        "fails": _table(
            "when it answers something else",
            {
                "status": _STATUS,
                "body": _BODY,
                "from": _seconds("after the start from which on it fails; 0 without it"),
                "until": _seconds("after the start until which it fails; for ever without it"),
                "every": _whole(1, 1_000, "only each so-many-th request fails"),
            },
        ),
    },
)

BUILD: dict[str, Any] = {
    "base": {"enum": list(BASES), "description": "what small programs and which shell it has (alpine)"},
    "size": _whole(1, MAX_SIZE, "megabytes to pull (40)"),
    "version": {"type": "string", "pattern": _TAG, "description": "what $(version) is; its tag without it"},
    "user": _whole(0, 65_535, "the uid that it runs as (0)"),
    "workdir": _line("the absolute path of its working directory (/)"),
    "env": _texts("variable -> value", MAX_MAPPING, MAX_LINE),
    "files": _texts("absolute path -> text; what begins with #! can be executed", MAX_FILES, MAX_FILE),
    "needs": {
        "type": "array",
        "maxItems": MAX_NEEDS,
        "description": "a list: what it cannot start without",
        "items": {
            "type": "object",
            "additionalProperties": False,
            "description": "a mapping: one thing that it needs",
            "properties": {
                "env": _line("a variable that is set and not empty"),
                "file": _line("the path of a file that is there"),
                "host": _line("a name that DNS knows"),
                "port": _whole(1, 65_535, "of the host: somebody listens there"),
                "code": _CODE,
                "log": _line("what it says when that is missing"),
            },
            "oneOf": [{"required": ["env"]}, {"required": ["file"]}, {"required": ["host"]}],
        },
    },
    "http": _table(
        "its server",
        {
            "port": _whole(1, 65_535, "a port (8080)"),
            "after": _seconds("from the start until it listens (0)"),
            "routes": {
                "type": "object",
                "maxProperties": MAX_ROUTES,
                "additionalProperties": _ROUTE,
                "description": "a mapping: path -> answer; /docs/* is all below /docs; 404 elsewhere",
            },
        },
    ),
    "log": _table(
        "what it writes to its log",
        {
            "start": {
                "type": "array",
                "maxItems": MAX_LINES,
                "items": _line("a line"),
                "description": "a list: lines at the start",
            },
            "every": {**_seconds("between two lines"), "minimum": 1},
            "line": _line("the line that comes every so many seconds"),
            "requests": {"type": "boolean", "description": "whether each request is a line (false)"},
        },
    ),
    "memory": _table(
        "MiB that it uses",
        {
            "start": _whole(1, MAX_MIB, "MiB at the start (16)"),
            "grows": _whole(0, MAX_MIB, "MiB more a minute (0)"),
            "until": _whole(1, MAX_MIB, "MiB at which it stops to grow"),
        },
    ),
    "cpu": _whole(0, MAX_CPU, "thousandths of a processor that it uses all the time (0)"),
    "exit": _table(
        "its end by itself",
        {
            "after": _seconds("from the start (0)"),
            "code": _CODE,
            "log": _line("its last line"),
        },
    ),
    "stop": _table(
        "what it does at SIGTERM and SIGINT",
        {
            "after": _seconds("until it ends; it serves meanwhile (0)"),
            "code": _CODE,
            "log": _line("the line that it writes then"),
            "ignore": {
                "type": "boolean",
                "description": "true: nothing at all, so that it is killed in the end",
            },
        },
    ),
}
"""What one build of an image may say."""

SCHEMA: Schema = {
    "type": "object",
    "maxProperties": MAX_IMAGES,
    "description": "images as data, by their names: {registry.example.com/shop: {http: {port: 8080}}}",
    "additionalProperties": _table(
        "an image",
        {
            **BUILD,
            "tags": {
                "type": "object",
                "maxProperties": MAX_TAGS,
                "description": "a mapping: tag -> what is otherwise in it; `latest` alone without it",
                "additionalProperties": _table("what is otherwise in this tag", BUILD),
            },
        },
    ),
}
