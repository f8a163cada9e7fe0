"""awk's own functions, in a literal table. They get their arguments unevaluated: some mean a place or a pattern."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from typing import Any, Protocol

from cluster_engine.linux.program import Sys
from cluster_engine.linux.programs.awk.formatting import formatted
from cluster_engine.linux.programs.awk.parse import Node
from cluster_engine.linux.programs.awk.values import Input, Value, special, to_number, to_text
from cluster_engine.linux.regex import printable, spans
from cluster_engine.linux.text import octets

Array = dict[str, Value]


class Awk(Protocol):
    """What a function needs of the running program."""

    sys: Sys
    names: dict[str, Value]
    arrays: dict[str, Array]
    frames: list[dict[str, Value | Array]]
    record: str
    written: list[str]
    drawn: int
    seed: float

    def value(self, node: Node) -> Value: ...

    def array(self, name: str) -> Array: ...

    def assign(self, place: Node, value: Value) -> Value: ...

    def pattern(self, node: Node) -> Any: ...

    def pieces(self, text: str, separator: str) -> list[str]: ...

    def store(self, array: Array, key: str, value: Value) -> None: ...

    def step(self) -> None: ...


def _text(awk: Awk, nodes: tuple[Node, ...], at: int) -> str:
    return to_text(awk.value(nodes[at]), to_text(awk.names["CONVFMT"]))


def _length(awk: Awk, nodes: tuple[Node, ...]) -> Value:
    if not nodes:
        return float(len(awk.record))
    node = nodes[0]
    if node[0] == "name":
        local = awk.frames[-1].get(node[1]) if awk.frames else None
        if isinstance(local, dict):
            return float(len(local))
        if node[1] in awk.arrays and local is None:
            return float(len(awk.arrays[node[1]]))
    return float(len(_text(awk, nodes, 0)))


def _substr(awk: Awk, nodes: tuple[Node, ...]) -> Value:
    text, start = _text(awk, nodes, 0), max(_whole(to_number(awk.value(nodes[1]))), 1)
    count = _whole(to_number(awk.value(nodes[2]))) if len(nodes) > 2 else len(text)
    return text[start - 1 : start - 1 + max(count, 0)]


def _index(awk: Awk, nodes: tuple[Node, ...]) -> Value:
    return float(_text(awk, nodes, 0).find(_text(awk, nodes, 1)) + 1)


def _split(awk: Awk, nodes: tuple[Node, ...]) -> Value:
    text, array = _text(awk, nodes, 0), awk.array(nodes[1][1])
    if len(nodes) > 2:
        node = nodes[2]
        separator = node[1] if node[0] == "regex" else to_text(awk.value(node))
    else:
        separator = to_text(awk.names["FS"])
    pieces = awk.pieces(text, separator)
    array.clear()
    for at, piece in enumerate(pieces, 1):
        awk.store(array, str(at), Input(piece))
    return float(len(pieces))


def _substitute(awk: Awk, nodes: tuple[Node, ...], every: bool) -> Value:
    pattern, replacement = awk.pattern(nodes[0]), _text(awk, nodes, 1)
    place: Node = nodes[2] if len(nodes) > 2 else ("field", ("number", 0.0))
    text = to_text(awk.value(place))
    out: list[str] = []
    at = count = 0
    for match in spans(pattern, text):
        start, end = match.span()
        if start == end and start == at and count:
            continue
        awk.step()
        out += [text[at:start], _replacement(replacement, text[start:end])]
        at = end
        count += 1
        if not every:
            break
    if count:
        awk.assign(place, "".join([*out, text[at:]]))
    return float(count)


def _sub(awk: Awk, nodes: tuple[Node, ...]) -> Value:
    return _substitute(awk, nodes, False)


def _gsub(awk: Awk, nodes: tuple[Node, ...]) -> Value:
    return _substitute(awk, nodes, True)


def _match(awk: Awk, nodes: tuple[Node, ...]) -> Value:
    text = _text(awk, nodes, 0)
    match = awk.pattern(nodes[1]).search(printable(text))
    start = match.start() + 1 if match is not None else 0
    awk.names["RSTART"] = float(start)
    awk.names["RLENGTH"] = float(match.end() - match.start()) if match is not None else -1.0
    return float(start)


def _sprintf(awk: Awk, nodes: tuple[Node, ...]) -> Value:
    values = [awk.value(node) for node in nodes]
    return formatted(to_text(values[0]), values[1:])


def _tolower(awk: Awk, nodes: tuple[Node, ...]) -> Value:
    return _text(awk, nodes, 0).lower()


def _toupper(awk: Awk, nodes: tuple[Node, ...]) -> Value:
    return _text(awk, nodes, 0).upper()


def _int(awk: Awk, nodes: tuple[Node, ...]) -> Value:
    number = to_number(awk.value(nodes[0]))
    return number if special(number) else float(math.trunc(number))


def _sqrt(awk: Awk, nodes: tuple[Node, ...]) -> Value:
    number = to_number(awk.value(nodes[0]))
    return math.sqrt(number) if number >= 0 else math.nan


def _rand(awk: Awk, nodes: tuple[Node, ...]) -> Value:
    awk.drawn += 1
    digest = hashlib.blake2b(f"{awk.seed}/{awk.drawn}".encode(), digest_size=6).digest()
    return int.from_bytes(digest, "big") / (1 << 48)


def _srand(awk: Awk, nodes: tuple[Node, ...]) -> Value:
    before, awk.drawn = awk.seed, 0
    awk.seed = to_number(awk.value(nodes[0])) if nodes else float(awk.sys.now // 1_000_000)
    return before


def _close(awk: Awk, nodes: tuple[Node, ...]) -> Value:
    name = octets(_text(awk, nodes, 0))
    if name in awk.written:
        awk.written.remove(name)
        return 0.0
    return -1.0


def _fflush(awk: Awk, nodes: tuple[Node, ...]) -> Value:
    return 0.0


def _whole(number: float) -> int:
    """Without its fraction; what is too large is cut."""
    return math.trunc(max(min(number, 1e9), -1e9)) if number == number else 0


def _replacement(text: str, matched: str) -> str:
    """`&` is what was found, `\\&` an ampersand."""
    out: list[str] = []
    at = 0
    while at < len(text):
        if text[at] == "\\" and text[at + 1 : at + 2] in ("&", "\\"):
            out.append(text[at + 1])
            at += 2
        else:
            out.append(matched if text[at] == "&" else text[at])
            at += 1
    return "".join(out)


BUILTINS: dict[str, Callable[[Awk, tuple[Node, ...]], Value]] = {
    "length": _length,
    "substr": _substr,
    "index": _index,
    "split": _split,
    "sub": _sub,
    "gsub": _gsub,
    "match": _match,
    "sprintf": _sprintf,
    "tolower": _tolower,
    "toupper": _toupper,
    "int": _int,
    "sqrt": _sqrt,
    "rand": _rand,
    "srand": _srand,
    "close": _close,
    "fflush": _fflush,
}
