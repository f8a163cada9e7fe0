"""Text to tokens.

Models the lexer rules of parser/gen/CEL.g4 of cel-go. What is no token is reported and skipped, as ANTLR does.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from cluster_engine.cel.errors import Issue

INT, UINT, FLOAT, STRING, BYTES = "NUM_INT", "NUM_UINT", "NUM_FLOAT", "STRING", "BYTES"
IDENTIFIER, QUOTED_IDENTIFIER, END = "IDENTIFIER", "ESC_IDENTIFIER", "<EOF>"
KEYWORDS = frozenset(("in", "true", "false", "null"))
"""Words that are tokens of their own; their kind is the word."""

_ESCAPE = r"\\[abfnrtv\"'\\?`]|\\[xX][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\U[0-9a-fA-F]{8}|\\[0-3][0-7][0-7]"
_SQUOTE3, _DQUOTE3 = "'''", '"""'
_TEXT = (
    rf"[rR]{_DQUOTE3}(?s:.*?){_DQUOTE3}|[rR]{_SQUOTE3}(?s:.*?){_SQUOTE3}"
    r"|[rR]\"[^\"\n\r]*\"|[rR]'[^'\n\r]*'"
    rf"|{_DQUOTE3}(?:{_ESCAPE}|[^\\])*?{_DQUOTE3}|{_SQUOTE3}(?:{_ESCAPE}|[^\\])*?{_SQUOTE3}"
    rf"|\"(?:{_ESCAPE}|[^\\\"\n\r])*+\"|'(?:{_ESCAPE}|[^\\'\n\r])*+'"
)
_RULES = (
    ("SPACE", r"[\t \r\n\f]+|//[^\n]*"),
    (FLOAT, r"[0-9]+\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+|\.[0-9]+(?:[eE][+-]?[0-9]+)?"),
    (UINT, r"0x[0-9a-fA-F]+[uU]|[0-9]+[uU]"),
    (INT, r"0x[0-9a-fA-F]+|[0-9]+"),
    (BYTES, rf"[bB](?:{_TEXT})"),
    (STRING, _TEXT),
    (IDENTIFIER, r"[A-Za-z_][A-Za-z0-9_]*"),
    (QUOTED_IDENTIFIER, r"`[A-Za-z0-9_.\-/ ]+`"),
    ("SIGN", r"==|!=|<=|>=|&&|\|\||[<>\[\]{}().,\-!?:+*/%]"),
)
_TOKEN = re.compile("|".join(f"({pattern})" for _, pattern in _RULES))
_KINDS = tuple(kind for kind, _ in _RULES)


class Token(NamedTuple):
    """``kind`` is a constant above, or the text itself for signs and keywords."""

    kind: str
    text: str
    at: int


def tokens(source: str) -> tuple[list[Token], list[Issue]]:
    """All tokens, ended by END, and what was none."""
    found: list[Token] = []
    issues: list[Issue] = []
    at, length = 0, len(source)
    while at < length:
        match = _TOKEN.match(source, at)
        if match is None:
            stop = _unreadable(source, at)
            text = source[at:stop].replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")
            issues.append(Issue(at, f"Syntax error: token recognition error at: '{text}'"))
            at = stop
            continue
        text = match.group()
        kind = _KINDS[(match.lastindex or 1) - 1]
        if kind == "SIGN" or (kind == IDENTIFIER and text in KEYWORDS):
            kind = text
        if kind != "SPACE":
            found.append(Token(kind, text, at))
        at += len(text)
    found.append(Token(END, END, length))
    return found, issues


def _unreadable(source: str, at: int) -> int:
    """Where ANTLR goes on after what is no token: behind the character that no rule could take."""
    first = source[at]
    if first in "=&|":
        return min(at + 2, len(source))
    if first not in "\"'`":
        return at + 1
    stop = at + 1
    while stop < len(source) and source[stop] not in "\n\r":
        if source[stop] == first:
            return stop
        if source[stop] == "\\":
            stop += 1
            if stop < len(source) and source[stop] not in "abfnrtv\"'\\?`xXuU0123":
                return stop + 1
        stop += 1
    return min(stop + 1, len(source))
