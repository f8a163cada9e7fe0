"""The text of an awk program as words: (kind, text)."""

from __future__ import annotations

MAX_TOKENS = 10_000

KEYWORDS = frozenset((
    "BEGIN", "END", "function", "func", "if", "else", "while", "for", "do", "break", "continue", "next", "exit",
    "return", "delete", "in", "getline", "print", "printf",
))  # fmt: skip
FUNCTIONS = frozenset((
    "length", "substr", "index", "split", "sub", "gsub", "match", "sprintf", "sin", "cos", "atan2", "exp", "log",
    "sqrt", "int", "rand", "srand", "tolower", "toupper", "system", "close", "fflush",
))  # fmt: skip
_OPERATORS = (
    "**=", "+=", "-=", "*=", "/=", "%=", "^=", "==", "<=", ">=", "!=", "++", "--", "&&", "||", ">>", "**", "!~",
    "{", "}", "(", ")", "[", "]", ";", ",", "+", "-", "*", "/", "%", "^", "!", ">", "<", "|", "?", ":", "~", "$", "=",
)  # fmt: skip
_ESCAPES = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "\\": "\\",
    '"': '"',
    "/": "/",
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "v": "\v",
}
_ENDS_VALUE = ("name", "number", "string", "regex", ")", "]", "$", "++", "--", "builtin", "funcname")


class AwkError(Exception):
    """The program is none, or asks for something that is not done here."""


Token = tuple[str, str]


def tokens(text: str) -> list[Token]:
    """The words, the last of which is an ``end``. Raises AwkError."""
    out: list[Token] = []
    at = 0
    while at < len(text):
        char = text[at]
        if char in " \t\r":
            at += 1
        elif char == "\\" and text[at + 1 : at + 2] == "\n":
            at += 2
        elif char == "#":
            while at < len(text) and text[at] != "\n":
                at += 1
        elif char == "\n":
            out.append(("newline", "\n"))
            at += 1
        elif char == '"':
            value, at = _string(text, at + 1, '"')
            out.append(("string", value))
        elif char == "/" and not (out and out[-1][0] in _ENDS_VALUE):
            value, at = _regex(text, at + 1)
            out.append(("regex", value))
        elif char.isdigit() or (char == "." and text[at + 1 : at + 2].isdigit()):
            start = at
            while at < len(text) and (text[at].isdigit() or text[at] == "."):
                at += 1
            if text[at : at + 1] in ("e", "E"):
                end = at + 1 + (text[at + 1 : at + 2] in ("+", "-"))
                if text[end : end + 1].isdigit():
                    at = end
                    while at < len(text) and text[at].isdigit():
                        at += 1
            out.append(("number", text[start:at]))
        elif char.isalpha() or char == "_":
            start = at
            while at < len(text) and (text[at].isalnum() or text[at] == "_"):
                at += 1
            word = text[start:at]
            if word in KEYWORDS:
                out.append(("function" if word == "func" else word, word))
            elif word in FUNCTIONS:
                out.append(("builtin", word))
            else:
                out.append(("funcname" if text[at : at + 1] == "(" else "name", word))
        else:
            for operator in _OPERATORS:
                if text.startswith(operator, at):
                    out.append((operator, operator))
                    at += len(operator)
                    break
            else:
                raise AwkError(f"syntax error near {text[at : at + 20]!r}")
        if len(out) > MAX_TOKENS:
            raise AwkError(f"a program of more than {MAX_TOKENS:,} words is not run here")
    out.append(("end", ""))
    return out


def _string(text: str, at: int, mark: str) -> tuple[str, int]:
    out: list[str] = []
    while at < len(text) and text[at] != mark:
        char = text[at]
        if char == "\n":
            break
        if char == "\\" and at + 1 < len(text):
            following = text[at + 1]
            digits = ""
            while len(digits) < 3 and text[at + 1 + len(digits) : at + 2 + len(digits)] in tuple("01234567"):
                digits += text[at + 1 + len(digits)]
            if digits:
                out.append(chr(int(digits, 8) & 255))
                at += 1 + len(digits)
                continue
            out.append(_ESCAPES.get(following, "\\" + following) if following != "\n" else "")
            at += 2
            continue
        out.append(char)
        at += 1
    if at >= len(text) or text[at] != mark:
        raise AwkError("unexpected newline or end of string")
    return "".join(out), at + 1


def _regex(text: str, at: int) -> tuple[str, int]:
    out: list[str] = []
    bracket = False
    while at < len(text) and (text[at] != "/" or bracket):
        char = text[at]
        if char == "\n":
            break
        if char == "\\" and at + 1 < len(text):
            out.append("/" if text[at + 1] == "/" else text[at : at + 2])
            at += 2
            continue
        if char == "[" and not bracket:
            bracket = True
            if text[at + 1 : at + 2] == "]" or text[at + 1 : at + 3] == "^]":
                size = 2 if text[at + 1] == "]" else 3
                out.append(text[at : at + size])
                at += size
                continue
        elif char == "]":
            bracket = False
        out.append(char)
        at += 1
    if at >= len(text) or text[at] != "/":
        raise AwkError("unterminated regex")
    return "".join(out), at + 1
