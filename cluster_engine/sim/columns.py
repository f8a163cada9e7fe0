"""JSON data in columns: what stands at one place of many alike objects is written side by side, and strings once.

A cluster's state is thousands of objects of a few shapes, whose names, uids and moments return in many places. As text
it takes nearly three times as much when it is compressed.

*Place by place.* A ``_Column`` takes all values of one place (``store.objects.pods[].status.podIP``). Dicts are seen
as one of few shapes with a column for each key; one that has many keys, or at a place where they hardly look alike, as
a map whose values share a column. What stands at one place several times (by identity) is written once, and is one
object again when it is read. Where there is but one value it is written as it is, down to the next collection.

Strings are written once and named by their numbers (``string_table.py``), numbers stand in arrays (``arrays.py``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from cluster_engine.sim.arrays import Arrays, Numbers
from cluster_engine.sim.string_table import Strings, read_strings

_SHAPES = 8
"""Shapes of dicts that a place may show; others are maps there."""
_WIDE = 40
"""Keys of a shape, and elements of a list that have a column each, at most."""
_MANY = 24
"""Dicts or lists side by side that are worth columns."""
_NULL, _FALSE, _TRUE, _INT, _FLOAT, _STR, _LIST, _MAP, _AGAIN, _SHAPED = range(10)
Told = Any  # what the header tells of a list of numbers, or of a place


def pack(data: Any) -> bytes:
    """The data, to be compressed; ``unpack`` gives it back. Strings may hold surrogates.

    Raises TypeError for what is no JSON.
    """
    numbers, strings = Numbers(), Strings()
    told = _told(data, numbers, strings)
    table = strings.write(numbers)
    header = orjson.dumps([told, table, numbers.forms])
    return b"".join((len(header).to_bytes(4, "little"), header, *strings.blobs, *numbers.blobs))


def unpack(packed: bytes) -> Any:
    """The data that ``pack`` wrote. Raises ValueError, LookupError or TypeError for bytes that it did not write."""
    begin = 4 + int.from_bytes(packed[:4], "little")
    told, table, forms = orjson.loads(packed[4:begin])
    numbers = Arrays(packed, begin + sum(table["sizes"]), forms)
    return _valued(told, numbers, read_strings(table, packed[begin:], numbers))


# ---- one value ----------------------------------------------------------------------------------------------------


def _told(value: Any, numbers: Numbers, strings: Strings) -> Told:
    """One value: strings by their numbers, other atoms in lists, collections of the alike as columns."""
    # As deep as the objects in the store, whose depth the API server bounds.
    if isinstance(value, str):
        return strings.number(value)
    if isinstance(value, dict):
        keys = strings.numbers(value)
        values = list(value.values())
        if _many(values):
            return {
                "map": numbers.near(keys),
                "of": _Column.of(values).write(numbers, strings),
                "n": len(values),
            }
        return {"keys": keys, "values": [_told(item, numbers, strings) for item in values]}
    if isinstance(value, (list, tuple)):
        if _many(value):
            return {"list": _Column.of(value).write(numbers, strings), "n": len(value)}
        return {"items": [_told(item, numbers, strings) for item in value]}
    if value is None or isinstance(value, (int, float)):
        return [value]
    raise TypeError(f"no JSON: {type(value).__name__}")


def _many(values: Sequence[Any]) -> bool:
    """Whether a collection is worth columns: it is long, or holds several dicts or lists."""
    if len(values) > _WIDE:
        return True
    return len(values) >= _MANY and all(isinstance(value, (dict, list, tuple)) for value in values)


def _valued(told: Told, numbers: Arrays, strings: list[str]) -> Any:
    """The value that ``_told`` has told."""
    kind = type(told)
    if kind is int:
        return strings[told]
    if kind is list:
        return told[0]
    if "values" in told:
        pairs = zip(told["keys"], told["values"], strict=True)
        return {strings[key]: _valued(item, numbers, strings) for key, item in pairs}
    if "items" in told:
        return [_valued(item, numbers, strings) for item in told["items"]]
    if "list" in told:
        column = _Reader(told["list"], numbers, strings)
        return [column.take() for _ in range(told["n"])]
    column = _Reader(told["of"], numbers, strings)
    keys = numbers.near(told["map"])
    return {strings[next(keys)]: column.take() for _ in range(told["n"])}


# ---- many values --------------------------------------------------------------------------------------------------


class _Column:
    """All values of one place, being written. The first waits until there is another one."""

    __slots__ = (
        "count", "first", "floats", "ints", "item", "keys", "known", "lengths", "places", "same", "shapes", "strings",
        "tags",
    )  # fmt: skip

    def __init__(self) -> None:
        self.count = 0
        self.first: Any = None

    @classmethod
    def of(cls, values: Iterable[Any]) -> _Column:
        column = cls()
        for value in values:
            column.put(value)
        return column

    def _open(self) -> None:
        self.tags: list[int] = []
        self.ints: list[int] = []
        self.strings: list[str] = []
        self.floats: list[float] = []
        self.lengths: list[int] = []
        self.keys: list[str] = []
        self.known: dict[
            int, int
        ] = {}  # identity of a dict or list -> its number here; all are alive meanwhile
        self.same: list[int] = []
        self.shapes: dict[tuple[str, ...], tuple[int, list[_Column]]] = {}
        self.places: list[_Column] = []
        self.item: _Column | None = None
        self._put(self.first)

    def put(self, value: Any) -> None:
        self.count += 1
        if self.count == 1:
            self.first = value
            return
        if self.count == 2:
            self._open()
        self._put(value)

    def _put(self, value: Any) -> None:
        kind = type(value)
        if kind is str:
            self.tags.append(_STR)
            self.strings.append(value)
        elif kind is int:
            self.tags.append(_INT)
            self.ints.append(value)
        elif value is None:
            self.tags.append(_NULL)
        elif kind is bool:
            self.tags.append(_TRUE if value else _FALSE)
        elif kind is float:
            self.tags.append(_FLOAT)
            self.floats.append(value)
        elif isinstance(value, (dict, list, tuple)):
            number = self.known.get(id(value))
            if number is not None:
                self.tags.append(_AGAIN)
                self.same.append(number)
                return
            self.known[id(value)] = len(self.known)
            if isinstance(value, dict):
                self._dict(value)
            else:
                self._list(value)
        elif isinstance(value, str):
            self._put(str(value))
        else:
            raise TypeError(f"no JSON: {kind.__name__}")

    def _dict(self, value: dict[str, Any]) -> None:
        keys = tuple(value)
        shape = self.shapes.get(keys)
        if shape is None and len(self.shapes) < _SHAPES and len(keys) <= _WIDE:
            shape = self.shapes[keys] = (_SHAPED + len(self.shapes), [_Column() for _ in keys])
        if shape is not None:
            self.tags.append(shape[0])
            for column, item in zip(shape[1], value.values(), strict=True):
                column.put(item)
        else:
            self.tags.append(_MAP)
            self.keys.extend(keys)
            self._items(list(value.values()))

    def _list(self, value: Sequence[Any]) -> None:
        self.tags.append(_LIST)
        if len(value) > _WIDE:
            self._items(value)
            return
        self.lengths.append(len(value))
        self.places.extend([_Column() for _ in range(len(value) - len(self.places))])
        for column, item in zip(self.places, value, strict=False):
            column.put(item)

    def _items(self, values: Sequence[Any]) -> None:
        self.lengths.append(len(values))
        if self.item is None:
            self.item = _Column()
        for value in values:
            self.item.put(value)

    def write(self, numbers: Numbers, strings: Strings) -> Told:
        """For the header: a list whose empty ends are left out, or the only value."""
        if self.count < 2:
            return {"one": _told(self.first, numbers, strings)}
        told: list[Any] = [
            numbers.plain(self.tags),
            numbers.near(self.ints),
            numbers.near(strings.numbers(self.strings)),
            numbers.plain(self.lengths),
            numbers.near(strings.numbers(self.keys)),
            numbers.near(self.same),
            self.floats,
            [
                [strings.numbers(keys), [column.write(numbers, strings) for column in columns]]
                for keys, (_tag, columns) in self.shapes.items()
            ],
            [column.write(numbers, strings) for column in self.places],
            self.item.write(numbers, strings) if self.item is not None else [],
        ]
        while told[-1] == []:
            told.pop()
        return told


class _Reader:
    """All values of one place, being read."""

    __slots__ = (
        "_floats", "_ints", "_item", "_keys", "_known", "_lengths", "_numbers", "_one", "_places", "_same", "_shapes",
        "_strings", "_tags", "_texts",
    )  # fmt: skip

    def __init__(self, told: Told, numbers: Arrays, texts: list[str]) -> None:
        self._numbers = numbers
        self._texts = texts
        self._one: Told = None
        if isinstance(told, dict):
            self._one = told["one"]
            return
        tags, ints, strings, lengths, keys, same, floats, shapes, places, item = told + [[]] * (
            10 - len(told)
        )
        self._tags = numbers.plain(tags)
        self._ints = numbers.near(ints)
        self._strings = numbers.near(strings)
        self._lengths = numbers.plain(lengths)
        self._keys = numbers.near(keys)
        self._same = numbers.near(same)
        self._floats = iter(floats)
        self._shapes = [
            ([texts[name] for name in names], [_Reader(each, numbers, texts) for each in columns])
            for names, columns in shapes
        ]
        self._places = [_Reader(each, numbers, texts) for each in places]
        self._item = _Reader(item, numbers, texts) if item else None
        self._known: list[Any] = []

    def take(self) -> Any:
        """The next value."""
        if self._one is not None:
            return _valued(self._one, self._numbers, self._texts)
        tag = next(self._tags)
        if tag == _STR:
            return self._texts[next(self._strings)]
        if tag == _INT:
            return next(self._ints)
        if tag >= _SHAPED:
            return self._shaped(tag)
        if tag == _LIST:
            return self._list()
        if tag == _AGAIN:
            return self._known[next(self._same)]
        if tag == _MAP:
            return self._map()
        if tag == _FLOAT:
            return float(next(self._floats))
        return None if tag == _NULL else tag == _TRUE

    def _shaped(self, tag: int) -> dict[str, Any]:
        names, columns = self._shapes[tag - _SHAPED]
        found: dict[str, Any] = {}
        self._known.append(found)
        for name, column in zip(names, columns, strict=True):
            found[name] = column.take()
        return found

    def _map(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        self._known.append(found)
        names = [self._texts[next(self._keys)] for _ in range(next(self._lengths))]
        for name in names:
            found[name] = self._item.take()  # type: ignore[union-attr]
        return found

    def _list(self) -> list[Any]:
        found: list[Any] = []
        self._known.append(found)
        count = next(self._lengths)
        if count > _WIDE:
            found.extend(self._item.take() for _ in range(count))  # type: ignore[union-attr]
        else:
            found.extend(column.take() for column in self._places[:count])
        return found
