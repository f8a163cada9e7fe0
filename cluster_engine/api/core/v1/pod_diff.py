"""The difference of two specs in the shape that Kubernetes prints it.

Upstream runs Go's cmp.Diff over its internal structs. Here the same is drawn from the JSON fields: names as
Go spells them, ``-`` and ``+`` before what differs, a count of what does not.
"""

from __future__ import annotations

from typing import Any

from cluster_engine.api.strategy import same
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import go_value

_INITIALS = ("dns", "http", "tcp", "grpc", "tty", "fs", "se", "uid", "ip", "csi", "nfs", "api", "os")
# Maps, whose keys are data and not names of fields.
_MAPS = frozenset({"limits", "requests", "nodeSelector", "matchLabels", "overhead"})
_MAX_LINES = 200


def go_name(field: str) -> str:
    """A JSON field's name in Go: dnsPolicy becomes DNSPolicy."""
    for initials in _INITIALS:
        rest = field[len(initials) :]
        if field.startswith(initials) and (not rest or rest[0].isupper()):
            return initials.upper() + rest
    return field[:1].upper() + field[1:]


def go_text(value: Any, field: str = "") -> str:
    """A value on one line."""
    if value is None:
        return "nil"
    if isinstance(value, dict):
        spell = go_value if field in _MAPS else go_name
        return "{" + ", ".join(f"{spell(name)}: {go_text(item, name)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "{" + ", ".join(go_text(item) for item in value) + "}"
    return go_value(value)


def diff(old: JSON, new: JSON, type_name: str) -> str:
    """What changed from `old` to `new`."""
    lines: list[str] = []
    _struct(old, new, type_name, 0, lines)
    if len(lines) > _MAX_LINES:
        lines[_MAX_LINES:] = ["  \t... // elided"]
    return "\n".join(lines) + "\n"


def _line(sign: str, depth: int, text: str) -> str:
    return f"{sign} {chr(9) * depth}{text}"


def _struct(old: JSON, new: JSON, head: str, depth: int, lines: list[str]) -> None:
    lines.append(_line(" ", depth, head + "{"))
    identical = 0
    for name in sorted(old.keys() | new.keys()):
        a, b = old.get(name), new.get(name)
        if same(a, b):
            identical += 1
        elif isinstance(a, dict) and isinstance(b, dict) and name not in _MAPS:
            _struct(a, b, f"{go_name(name)}: ", depth + 1, lines)
        elif isinstance(a, list) and isinstance(b, list):
            _list(a, b, f"{go_name(name)}: ", depth + 1, lines)
        else:
            lines.append(_line("-", depth + 1, f"{go_name(name)}: {go_text(a, name)},"))
            lines.append(_line("+", depth + 1, f"{go_name(name)}: {go_text(b, name)},"))
    if identical:
        fields = "field" if identical == 1 else "fields"
        lines.append(_line(" ", depth + 1, f"... // {identical} identical {fields}"))
    lines.append(_line(" ", depth, "}" + ("," if depth else "")))


def _list(old: list[Any], new: list[Any], head: str, depth: int, lines: list[str]) -> None:
    lines.append(_line(" ", depth, head + "{"))
    for index in range(max(len(old), len(new))):
        if index >= len(new):
            lines.append(_line("-", depth + 1, f"{go_text(old[index])},"))
        elif index >= len(old):
            lines.append(_line("+", depth + 1, f"{go_text(new[index])},"))
        elif same(old[index], new[index]):
            lines.append(_line(" ", depth + 1, f"{go_text(old[index])},"))
        elif isinstance(old[index], dict) and isinstance(new[index], dict):
            _struct(old[index], new[index], "", depth + 1, lines)
        else:
            lines.append(_line("-", depth + 1, f"{go_text(old[index])},"))
            lines.append(_line("+", depth + 1, f"{go_text(new[index])},"))
    lines.append(_line(" ", depth, "},"))
