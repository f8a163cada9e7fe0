"""SQL text as tokens, and scripts as statements."""

from __future__ import annotations

import re
from typing import NamedTuple

_TOKEN = re.compile(
    r"""(?P<space>\s+|--[^\n]*|/\*.*?\*/)
    |(?P<string>'(?:[^'\\]|''|\\.)*')
    |(?P<quoted>"(?:[^"]|"")*"|`[^`]*`)
    |(?P<number>\d+(?:\.\d+)?)
    |(?P<word>@{0,2}[^\W\d][\w$]*)
    |(?P<sign>::|<=|>=|<>|!=|\|\||.)""",
    re.VERBOSE | re.DOTALL,
)


class Token(NamedTuple):
    """``kind``: string, quoted, number, word or sign; ``at``, ``end``: its place in the script."""

    kind: str
    text: str
    at: int
    end: int

    @property
    def word(self) -> str:
        """A keyword in small letters; "" for what is none."""
        return self.text.lower() if self.kind == "word" else ""

    @property
    def name(self) -> str:
        """What it names, without quotes."""
        return self.text[1:-1] if self.kind in ("quoted", "string") else self.text


class Statement(NamedTuple):
    """One statement of a script, without its semicolon."""

    tokens: tuple[Token, ...]
    script: str

    def words(self, count: int) -> tuple[str, ...]:
        """Its first keywords."""
        return tuple(token.word for token in self.tokens[:count])


def statements(script: str) -> tuple[list[Statement], str]:
    """The statements of a script, and what follows the last semicolon (not a whole statement yet)."""
    found: list[Statement] = []
    held: list[Token] = []
    rest = 0
    for match in _TOKEN.finditer(script):
        kind = str(match.lastgroup)
        if match.group() == ";" and kind == "sign":
            if held:
                found.append(Statement(tuple(held), script))
            held, rest = [], match.end()
        elif kind != "space":
            held.append(Token(kind, match.group(), match.start(), match.end()))
    return found, script[rest:] if held else ""


def joined(tokens: list[Token] | tuple[Token, ...]) -> str:
    """The text of tokens, as they stood apart."""
    parts: list[str] = []
    end = tokens[0].at if tokens else 0
    for token in tokens:
        parts.append(" " if token.at > end else "")
        parts.append(token.text)
        end = token.end
    return "".join(parts)


def split(tokens: list[Token]) -> list[list[Token]]:
    """At the commas that stand in no parenthesis."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if token.text == "," and not depth:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts
