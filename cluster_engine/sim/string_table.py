"""All strings of a state, each once and named by its number (see ``columns.py``).

One that is put together (``default/web-1.1886…``) is written as its parts, so that a Pod's name or uid stands there
once however many strings tell it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from cluster_engine.sim.arrays import Arrays, Numbers

_DIVIDED = 600
"""Characters of a string that is written as its parts, at most."""
_PARTS = 100

_TEXT, _UID, _DIGEST, _NUMBER, _STAMPED, _DIVIDED_UP = range(6)

_uid = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch
_digest = re.compile("[0-9a-f]{64}").fullmatch
_stamp = re.compile("1[0-9a-f]{15}").fullmatch
_parts = re.compile(r"""([/"\s{}=,:]+)""", re.ASCII).split


class Strings:
    """All strings, each once, in the order in which they are met."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}
        self.blobs: list[bytes] = []

    def number(self, string: str) -> int:
        """What it is named by."""
        return self._known.setdefault(str(string), len(self._known))

    def numbers(self, strings: Iterable[str]) -> list[int]:
        """What each is named by."""
        known = self._known
        return [known.setdefault(string, len(known)) for string in strings]

    def _all(self) -> Iterator[str]:
        """All strings, those too that become known meanwhile."""
        at = 0
        while at < len(self._known):
            new = list(islice(self._known, at, None))
            yield from new
            at += len(new)

    def write(self, numbers: Numbers) -> dict[str, Any]:
        """For the header. The parts of strings are strings too, and come at the end."""
        kinds: list[int] = []
        texts: list[str] = []
        bits: dict[int, list[str]] = {_UID: [], _DIGEST: []}
        plain: list[int] = []
        stamped: tuple[list[int], list[int]] = ([], [])
        ways: dict[
            tuple[str, ...], tuple[int, list[list[int]]]
        ] = {}  # separators -> their number, columns of parts
        divided: list[int] = []
        known = self._known
        for string in self._all():
            size = len(string)
            if size == 36 and _uid(string):
                kinds.append(_UID)
                bits[_UID].append(string)
            elif size == 64 and _digest(string):
                kinds.append(_DIGEST)
                bits[_DIGEST].append(string)
            elif size < 18 and string.isdecimal() and string.isascii() and (string[0] != "0" or size == 1):
                kinds.append(_NUMBER)
                plain.append(int(string))
            elif 8 < size <= _DIVIDED and 1 < len(parts := _parts(string)) <= _PARTS:
                kinds.append(_DIVIDED_UP)
                separators = tuple(parts[1::2])
                way = ways.get(separators)
                if way is None:
                    way = ways[separators] = (len(ways), [[] for _ in parts[::2]])
                divided.append(way[0])
                for column, part in zip(way[1], parts[::2], strict=True):
                    column.append(known.setdefault(part, len(known)))
            elif 17 < size <= _DIVIDED and string[-17] == "." and _stamp(string, size - 16):
                kinds.append(_STAMPED)
                stamped[0].append(known.setdefault(string[:-17], len(known)))
                stamped[1].append(int(string[-16:], 16))
            else:
                kinds.append(_TEXT)
                texts.append(string)
        self.blobs = [
            bytes.fromhex("".join(bits[_UID]).replace("-", "")),
            bytes.fromhex("".join(bits[_DIGEST])),
            "".join(texts).encode("utf-8", "surrogatepass"),
        ]
        return {
            "sizes": [len(blob) for blob in self.blobs],
            "kinds": numbers.plain(kinds),
            "count": len(kinds),
            "texts": numbers.plain([len(text) for text in texts]),
            "numbers": numbers.near(plain),
            "stamped": [numbers.near(column) for column in stamped],
            "divided": numbers.plain(divided),
            "ways": [[way, [numbers.near(column) for column in each[1]]] for way, each in ways.items()],
        }


def read_strings(table: dict[str, Any], packed: bytes, numbers: Arrays) -> list[str]:
    """The strings that ``Strings`` wrote, by their numbers."""
    kinds = numbers.plain(table["kinds"])
    sizes = numbers.plain(table["texts"])
    plain = numbers.near(table["numbers"])
    names, stamps = (numbers.near(told) for told in table["stamped"])
    divided = numbers.plain(table["divided"])
    ways = [(way, [numbers.near(told) for told in columns]) for way, columns in table["ways"]]
    uids, digests, length = table["sizes"]
    bits = iter(_hex(packed, 0, uids, 16))
    more = iter(_hex(packed, uids, digests, 32))
    text = packed[uids + digests : uids + digests + length].decode("utf-8", "surrogatepass")
    at = 0
    found: list[str] = []
    # What is put together names strings that may come later.
    waiting: dict[int, list[Any]] = {}
    for number in range(table["count"]):
        kind, string = next(kinds), ""
        if kind == _UID:
            digits = next(bits)
            string = f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
        elif kind == _DIGEST:
            string = next(more)
        elif kind == _NUMBER:
            string = str(next(plain))
        elif kind == _TEXT:
            end = at + next(sizes)
            string, at = text[at:end], end
        elif kind == _STAMPED:
            waiting[number] = [next(names), f".{next(stamps):x}"]
        else:
            separators, columns = ways[next(divided)]
            parts: list[Any] = [None] * (2 * len(columns) - 1)
            parts[::2] = [next(column) for column in columns]
            parts[1::2] = separators
            waiting[number] = parts
        found.append(string)
    while waiting:
        number, parts = waiting.popitem()
        _put_together(number, parts, found, waiting)
    return found


def _hex(packed: bytes, at: int, size: int, each: int) -> list[str]:
    digits = packed[at : at + size].hex()
    return [digits[i : i + 2 * each] for i in range(0, len(digits), 2 * each)]


def _put_together(number: int, parts: list[Any], found: list[str], waiting: dict[int, list[Any]]) -> None:
    for part in parts:
        if isinstance(part, int) and part in waiting:
            _put_together(part, waiting.pop(part), found, waiting)
    found[number] = "".join(found[part] if isinstance(part, int) else part for part in parts)
