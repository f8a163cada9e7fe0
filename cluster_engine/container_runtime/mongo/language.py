"""The part of mongosh's language that tutorials use, read into data: ``db.pets.find({age: {$gt: 2}}).sort({age: -1})``.

An expression is ``["value", x]``, or ``["chain", words, calls]``: names behind dots, then [method, arguments] of each
call. Documents are JSON; an ObjectId is ``{"$oid": hex}``, a date ``{"$date": text}``.
"""

from __future__ import annotations

import re
from typing import Any

MAX_TEXT = 64 * 1024
"""Characters of one script."""
MAX_DEPTH = 40
"""Levels of a document in one another."""
_TOKEN = re.compile(
    r"""\s*(?://[^\n]*\n\s*)*(?:
    (?P<number>-?(?:\d+\.\d+|\d+)(?:[eE][+-]?\d{1,3})?)
    | (?P<name>[A-Za-z_$][A-Za-z0-9_$]*)
    | (?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
    | (?P<sign>[()\[\]{}.,:;])
    )""",
    re.VERBOSE,
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
_CONSTANTS = {"true": True, "false": False, "null": None, "undefined": None}


class Unread(Exception):
    """What mongosh says of it."""


def read(text: str) -> list[list[Any]]:
    """The expressions of a script. Raises Unread."""
    if len(text) > MAX_TEXT:
        raise Unread(f"a script of more than {MAX_TEXT} characters is not run here")
    return _Reader(_tokens(text)).script()


def _tokens(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    at = 0
    text = text.rstrip() + "\n"
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            raise Unread(f"SyntaxError: not read here: {text[at:].strip()[:30]}")
        kind = match.lastgroup or ""
        found.append((kind, match[kind]))
        at = match.end()
    return found


class _Reader:
    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._at = 0
        self._deep = 0

    def _next(self) -> tuple[str, str]:
        token = self._tokens[self._at] if self._at < len(self._tokens) else ("end", "")
        self._at += 1
        return token

    def _is(self, sign: str) -> bool:
        """Whether that sign comes next; it is taken."""
        if self._at < len(self._tokens) and self._tokens[self._at] == ("sign", sign):
            self._at += 1
            return True
        return False

    def _want(self, sign: str) -> None:
        if not self._is(sign):
            raise Unread(f'SyntaxError: Unexpected token, expected "{sign}"')

    def script(self) -> list[list[Any]]:
        found = []
        while self._at < len(self._tokens):
            if not self._is(";"):
                found.append(self._expression())
        return found

    def _expression(self) -> list[Any]:
        kind, text = self._tokens[self._at]
        if kind != "name" or text in _CONSTANTS or text in ("ObjectId", "ISODate", "new"):
            return ["value", self._value()]
        self._at += 1
        words: list[str] = [text]
        calls: list[list[Any]] = []
        own = 0
        while True:
            if self._is("."):
                kind, text = self._next()
                if kind != "name":
                    raise Unread("SyntaxError: Unexpected token")
                words.append(text)
            elif self._is("[") and not calls:
                words.append(str(self._value()))
                self._want("]")
            elif self._is("("):
                calls.append([words.pop(), self._several(")")])
                own = len(words) if len(calls) == 1 else own
            elif calls and len(words) > own:
                raise Unread("TypeError: properties of results are not read here")
            else:
                return ["chain", words, calls]

    def _several(self, end: str) -> list[Any]:
        found: list[Any] = []
        while not self._is(end):
            found.append(self._value())
            if not self._is(","):
                self._want(end)
                break
        return found

    def _value(self) -> Any:
        self._deep += 1
        if self._deep > MAX_DEPTH:
            raise Unread(f"documents nested more than {MAX_DEPTH} deep are not read here")
        try:
            return self._one()
        finally:
            self._deep -= 1

    def _one(self) -> Any:
        kind, text = self._next()
        if kind == "number":
            # As a number of JavaScript: whole ones are exact up to 2^53.
            return float(text) if any(c in text for c in ".eE") or len(text) > 15 else int(text)
        if kind == "text":
            return re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), text[1:-1])
        if (kind, text) == ("sign", "{"):
            return self._document()
        if (kind, text) == ("sign", "["):
            return self._several("]")
        if kind == "name" and text in _CONSTANTS:
            return _CONSTANTS[text]
        if kind == "name" and text == "new":
            kind, text = self._next()
        if kind == "name" and text in ("ObjectId", "ISODate", "Date", "NumberInt", "NumberLong"):
            self._want("(")
            given = self._several(")")
            if text.startswith("Number"):
                number = str(given[0]) if given else "0"
                if not re.fullmatch(r"-?[0-9]{1,18}", number):
                    raise Unread(f"{text}({number}) is no whole number that is read here")
                return int(number)
            if text == "ObjectId" and given and re.fullmatch(r"[0-9a-f]{24}", str(given[0])):
                return {"$oid": given[0]}
            if text in ("ISODate", "Date"):
                return {"$date": str(given[0]) if given else ""}
        raise Unread(
            f"ReferenceError: {text} is not defined"
            if kind == "name"
            else f"SyntaxError: Unexpected token '{text}'"
        )

    def _document(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not self._is("}"):
            kind, text = self._next()
            if kind == "text":
                text = re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), text[1:-1])
            elif kind not in ("name", "number"):
                raise Unread(f"SyntaxError: Unexpected token '{text}'")
            self._want(":")
            found[text] = self._value()
            if not self._is(","):
                self._want("}")
                break
        return found
