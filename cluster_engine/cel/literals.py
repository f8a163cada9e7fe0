"""The values of literals: numbers, strings and bytes with their escapes.

Models parser/unescape.go of cel-go.
"""

from __future__ import annotations

from cluster_engine.cel.values import INT_MAX, INT_MIN, UINT_MAX, Uint

_ESCAPES = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
    "\\": "\\", "'": "'", '"': '"', "`": "`", "?": "?",
}  # fmt: skip
_HEX = {"x": 2, "X": 2, "u": 4, "U": 8}


def integer(text: str) -> int | None:
    """The value of an int literal, its sign included; None beyond 64 bits."""
    value = int(text, 16) if "x" in text else int(text) if len(text) < 25 else INT_MAX + 1
    return value if INT_MIN <= value <= INT_MAX else None


def unsigned(text: str) -> Uint | None:
    """The value of a uint literal; None beyond 64 bits."""
    digits = text[:-1]
    value = int(digits, 16) if "x" in digits else int(digits) if len(digits) < 25 else UINT_MAX + 1
    return Uint(value) if value <= UINT_MAX else None


def text_of(token: str, is_bytes: bool) -> tuple[str | bytes, str]:
    """(the value of a string or bytes literal, what is wrong with it)."""
    if is_bytes:
        token = token[1:]
    raw = token[0] in "rR"
    if raw:
        token = token[1:]
    quote = 3 if token[:3] in ("'''", '"""') and len(token) >= 6 else 1
    body = token[quote:-quote].replace("\r\n", "\n").replace("\r", "\n")
    if raw or "\\" not in body:
        return (body.encode("utf-8", "surrogatepass") if is_bytes else body), ""
    parts: list[bytes] = []
    problem = ""
    at = 0
    while at < len(body):
        stop = body.find("\\", at)
        stop = len(body) if stop < 0 else stop
        parts.append(body[at:stop].encode("utf-8", "surrogatepass"))
        if stop == len(body):
            break
        letter = body[stop + 1]
        at = stop + 2
        if letter in _ESCAPES:
            parts.append(_ESCAPES[letter].encode())
            continue
        width = _HEX.get(letter)
        if width is not None:
            code = int(body[at : at + width], 16)
            at += width
        else:
            code = int(body[stop + 1 : stop + 4], 8)
            at += 2
        if is_bytes and letter in "uU":
            problem = "unable to unescape string"
        elif is_bytes:
            parts.append(bytes((code,)))
        elif code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
            problem = "invalid unicode code point"
        else:
            parts.append(chr(code).encode())
    value = b"".join(parts)
    return (value if is_bytes else value.decode("utf-8", "surrogatepass")), problem
