"""The values of CEL while an expression runs.

JSON values are CEL values as they are: None, bool, int, float, str, lists, dicts with text keys. Beside them stand
bytes, ``Uint``, ``TypeValue``, ``Optional`` and the opaque values (subclasses of ``Opaque``: timestamps, quantities
…). A dict that a map literal made may have other keys; a bool as a key is a ``BoolKey``, since Python takes True
for 1.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, ClassVar, Protocol

from cluster_engine.cel.errors import CelError

INT_MIN, INT_MAX, UINT_MAX = -(2**63), 2**63 - 1, 2**64 - 1
"""The ends of int and uint."""

Value = Any


class Uint(int):
    """An unsigned 64-bit number."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"{int(self)}u"


class Opaque:
    """A value of a library: compared by ``==``, known by its type's name."""

    type_name: ClassVar[str] = ""
    __slots__ = ()

    def select(self, field: str) -> Value:
        """The field of that name; most opaque values have none."""
        raise no_such_key(field)

    def has(self, field: str) -> bool:
        """Whether ``has(value.field)`` is true."""
        return False


class TypeValue(Opaque):
    """A type as a value: what ``type(x)`` gives."""

    type_name = "type"
    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __eq__(self, other: object) -> bool:
        return type(other) is TypeValue and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)


class Optional(Opaque):
    """A value that may be absent."""

    type_name = "optional_type"
    __slots__ = ("present", "value")

    def __init__(self, present: bool, value: Value = None) -> None:
        self.present = present
        self.value = value

    def __eq__(self, other: object) -> bool:
        return (
            type(other) is Optional
            and other.present == self.present
            and (not self.present or equal(self.value, other.value))
        )

    __hash__ = None  # type: ignore[assignment]


NONE = Optional(False)
"""``optional.none()``."""


class BoolKey:
    """A bool as a key of a map."""

    __slots__ = ("value",)

    def __init__(self, value: bool) -> None:
        self.value = value


TRUE_KEY, FALSE_KEY = BoolKey(True), BoolKey(False)


class SetList(list[Value]):
    """A list with ``x-kubernetes-list-type: set``: its order does not count."""

    __slots__ = ()

    def joined(self, others: Any) -> SetList:
        """``self + others``: what is new comes behind."""
        return SetList([*self, *(other for other in others if not contains(self, other))])


class MapList(list[Value]):
    """A list with ``x-kubernetes-list-type: map``: its items are known by their keys."""

    __slots__ = ("keys",)

    def __init__(self, items: list[Value], keys: tuple[str, ...]) -> None:
        super().__init__(items)
        self.keys = keys

    def key(self, item: Value) -> tuple[Value, ...]:
        """What an item is known by."""
        found = item if isinstance(item, dict) else {}
        return tuple(repr(found.get(key)) for key in self.keys)

    def joined(self, others: Any) -> MapList:
        """``self + others``: an item with a known key takes its place, the others come behind."""
        found = {self.key(item): item for item in self}
        found.update((self.key(other), other) for other in others)
        return MapList(list(found.values()), self.keys)


def no_such_key(key: Value) -> CelError:
    """The error of an access to what a map or an object does not have."""
    return CelError(f"no such key: {show(key)}")


def no_such_overload() -> CelError:
    """The error of an operator or a function of the standard library on values that it does not take."""
    return CelError("no such overload")


_NAMES: dict[type, str] = {
    type(None): "null_type",
    bool: "bool",
    int: "int",
    Uint: "uint",
    float: "double",
    str: "string",
    bytes: "bytes",
    list: "list",
    tuple: "list",
    SetList: "list",
    MapList: "list",
    dict: "map",
}


def type_name(value: Value) -> str:
    """The name of a value's type, as error texts and ``type()`` have it."""
    name = _NAMES.get(type(value))
    if name is not None:
        return name
    if isinstance(value, Opaque):
        return value.type_name
    return "map" if isinstance(value, Mapping) else "list"


def show(value: Value) -> str:
    """A value in an error text (Go's ``%v``)."""
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, float):
        return go_float(value)
    return str(int(value)) if isinstance(value, int) else str(value)


def go_float(value: float) -> str:
    """strconv.FormatFloat(value, 'g', -1, 64)."""
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "+Inf" if value > 0 else "-Inf"
    sign = "-" if str(value)[0] == "-" else ""
    number = Decimal(repr(abs(value))).normalize()
    digits, scale = "".join(map(str, number.as_tuple().digits)), number.adjusted()
    if scale < -4 or scale >= 6:
        rest = f".{digits[1:]}" if len(digits) > 1 else ""
        return f"{sign}{digits[0]}{rest}e{'-' if scale < 0 else '+'}{abs(scale):02d}"
    return sign + plain_float(abs(value))


def plain_float(value: float) -> str:
    """strconv.FormatFloat(value, 'f', -1, 64) of a finite number."""
    text = format(Decimal(repr(value)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


class Meter(Protocol):
    """Who counts how many values within containers are compared."""

    def count(self, values: int) -> None:
        """Raises CelCostError when there are too many."""


def equal(left: Value, right: Value, meter: Meter | None = None) -> bool:
    """CEL's equality: numbers by value whatever their type, never an error."""
    kind, other = type(left), type(right)
    if kind is other and kind in _SCALARS:
        return bool(left == right)
    if kind in _NUMBERS and other in _NUMBERS:
        return bool(left == right)
    if kind in _LISTS and other in _LISTS:
        return left is right or _equal_lists(left, right, meter)
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        if left is right or len(left) != len(right):
            return left is right
        if meter is not None:
            meter.count(len(left))
        return all(key in right and equal(value, right[key], meter) for key, value in left.items())
    return kind is other and isinstance(left, Opaque) and left == right


def _equal_lists(left: Any, right: Any, meter: Meter | None) -> bool:
    if len(left) != len(right):
        return False
    if meter is not None:
        meter.count(len(left))
    for special in (left, right):
        if type(special) is SetList:
            return all(contains(left, item, meter) for item in right) and all(
                contains(right, item, meter) for item in left
            )
        if type(special) is MapList:
            others = {special.key(item): item for item in (right if special is left else left)}
            return all(
                special.key(item) in others and equal(item, others[special.key(item)], meter)
                for item in special
            )
    return all(equal(a, b, meter) for a, b in zip(left, right, strict=True))


def contains(items: Any, value: Value, meter: Meter | None = None) -> bool:
    """Whether an item of the list equals the value."""
    if type(value) is str:
        return value in items
    return any(equal(item, value, meter) for item in items)


_SCALARS = frozenset((str, int, bool, float, type(None), bytes, Uint))
_NUMBERS = frozenset((int, float, Uint))
_LISTS = frozenset((list, tuple, SetList, MapList))


def is_list(value: Value) -> bool:
    """Whether the value is a list of CEL."""
    return type(value) in _LISTS


def key_of(value: Value) -> Any:
    """What a value is as a key of a dict. Raises CelError for a type that is no key."""
    kind = type(value)
    if kind is str or kind is int or kind is Uint:
        return value
    if kind is bool:
        return TRUE_KEY if value else FALSE_KEY
    if kind is float:
        return int(value) if value.is_integer() else value
    raise CelError(f"unsupported key type: {type_name(value)}")


def keys(mapping: Mapping[Any, Value]) -> Iterator[Value]:
    """The keys of a map as values, in the order in which they stand."""
    for key in mapping:
        yield key.value if type(key) is BoolKey else key


def size(value: Value) -> int:
    """What cost trackers take for a value's size: its length, or 1."""
    kind = type(value)
    if kind is str or kind is list or kind is dict or kind is bytes:
        return len(value)
    return len(value) if kind in _LISTS or isinstance(value, Mapping) else 1


def to_json(value: Value) -> Any:
    """A value as JSON: timestamps, durations, bytes and opaque values as their texts. Shares what is JSON already."""
    kind = type(value)
    if kind in (str, int, bool, float, type(None)):
        return value
    if kind is Uint:
        return int(value)
    if kind is bytes:
        return b64encode(value).decode()
    if kind in _LISTS:
        return [to_json(item) for item in value]
    if isinstance(value, Mapping):
        return {show(key): to_json(value[key_of(key)]) for key in keys(value)}
    if kind is Optional:
        return to_json(value.value) if value.present else None
    return str(value)
