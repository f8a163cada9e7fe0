"""Variables from a file in an emptyDir: ``valueFrom.fileKeyRef``.

A line is ``NAME='value'``: nothing inside the quotes means anything but itself, not even the end of a line. Models
pkg/kubelet/util/env (ParseEnv) and pkg/kubelet/kubelet_pods.go (makeEnvironmentVariables).
"""

from __future__ import annotations

KEY_LIMIT = 128
"""Characters of a name that is asked for."""
VALUE_LIMIT = 32 * 1024
"""Bytes of a value."""
_SPACE = " \t\r"


class EnvFileError(Exception):
    """A file that is not of this form; str() names the line."""


def value_of(text: str, key: str) -> str | None:
    """The value that a file's text gives to a name, the first one; None when it gives none.

    Raises EnvFileError for a line before it that is no comment and declares nothing.
    """
    at, line = 0, 1
    while at < len(text):
        while at < len(text) and text[at] in _SPACE:
            at += 1
        if at == len(text):
            return None
        if text[at] in "\n#":
            at = _next_line(text, at)
            line += 1
            continue
        name, value, end = _declared(text, at, line)
        if name == key:
            return value
        line += text.count("\n", at, end)
        at = end
    return None


def _next_line(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end + 1


def _declared(text: str, at: int, line: int) -> tuple[str, str, int]:
    """(name, value, where the next line begins) of the declaration that begins there."""
    wrong = EnvFileError(f"invalid environment variable format at line {line}")
    name, equals, _ = text[at : _next_line(text, at)].partition("=")
    opening = at + len(name) + 1
    while opening < len(text) and text[opening] in _SPACE:
        opening += 1
    closing = text.find("'", opening + 1)
    if not equals or not name.strip(_SPACE) or text[opening : opening + 1] != "'" or closing < 0:
        raise wrong
    end = _next_line(text, closing)
    if text[closing + 1 : end].strip(_SPACE + "\n"):
        raise wrong
    return name.strip(_SPACE), text[opening + 1 : closing], end
