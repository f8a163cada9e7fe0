"""Static types, and how the checker finds out whether one fits another.

Models common/types/types.go and checker/types.go of cel-go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache


class Type:
    """A type: a name and its parameters. ``fields`` are those of an object (None: no object).

    What a schema says of sizes does not make it another type: ``most`` elements (None: nothing is known), and the
    ``least`` bytes that a value takes in a request.
    """

    __slots__ = ("fields", "least", "most", "name", "parameters")

    def __init__(
        self,
        name: str,
        parameters: tuple[Type, ...] = (),
        fields: Mapping[str, Type] | None = None,
        most: int | None = None,
        least: int = 0,
    ) -> None:
        self.name = name
        self.parameters = parameters
        self.fields = fields
        self.most = most
        self.least = least

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Type) and other.name == self.name and other.parameters == self.parameters

    def __hash__(self) -> int:
        return hash((self.name, self.parameters))

    def __str__(self) -> str:
        """The type as error texts have it."""
        if not self.parameters:
            return self.name
        return f"{self.name}({', '.join(map(str, self.parameters))})"

    @property
    def variable(self) -> bool:
        """Whether it is a type parameter (``A`` of ``list(A)``)."""
        return self.name[0].isupper() and len(self.name.rstrip("0123456789")) == 1


DYN, NULL, BOOL, INT, UINT = Type("dyn"), Type("null"), Type("bool"), Type("int"), Type("uint")
DOUBLE, STRING, BYTES = Type("double"), Type("string"), Type("bytes")
TIMESTAMP, DURATION = Type("timestamp"), Type("duration")
ERROR = Type("!error!")
"""The type of what could not be checked; it fits everywhere, so that one mistake is told once."""
_SIMPLE = {t.name: t for t in (DYN, NULL, BOOL, INT, UINT, DOUBLE, STRING, BYTES, TIMESTAMP, DURATION)}
_VALUES = frozenset(("bool", "int", "uint", "double", "string", "bytes"))
_NOT_NULL = _VALUES | {"list", "map", "type"}


def list_of(item: Type) -> Type:
    """``list(item)``."""
    return Type("list", (item,))


def map_of(key: Type, value: Type) -> Type:
    """``map(key, value)``."""
    return Type("map", (key, value))


def optional_of(value: Type) -> Type:
    """``optional_type(value)``."""
    return Type("optional_type", (value,))


def object_of(name: str, fields: Mapping[str, Type]) -> Type:
    """An object of that name. Objects with the same name are the same type."""
    return Type(name, (), fields)


@lru_cache(maxsize=1024)
def read(text: str) -> Type:
    """A type from its text: ``list(A)``, ``map(string, dyn)``, ``kubernetes.Quantity``."""
    name, _, rest = text.partition("(")
    if not rest:
        return _SIMPLE.get(name) or Type(name)
    return Type(name, tuple(read(part) for part in split(rest[:-1])))


def split(text: str) -> list[str]:
    """The parts between the commas that stand in no parentheses."""
    parts, depth, start = [], 0, 0
    for at, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if char == "," and not depth:
            parts.append(text[start:at].strip())
            start = at + 1
    last = text[start:].strip()
    return [*parts, last] if last else parts


Bindings = dict[Type, Type]
"""What type parameters stand for."""


def substitute(bindings: Bindings, kind: Type, free: bool = False) -> Type:
    """The type with its parameters replaced; with ``free``, those that stand for nothing become dyn."""
    if kind.variable:
        found = bindings.get(kind)
        if found is None:
            return DYN if free else kind
        return substitute(bindings, found, free)
    if not kind.parameters:
        return kind
    parts = tuple(substitute(bindings, part, free) for part in kind.parameters)
    if all(part is before for part, before in zip(parts, kind.parameters, strict=True)):
        return kind
    return Type(kind.name, parts, kind.fields, kind.most, kind.least)


def assignable(bindings: Bindings, to: Type, kind: Type) -> bool:
    """Whether a ``kind`` fits where ``to`` is asked for; binds parameters of both (on success only)."""
    attempt = dict(bindings)
    if not _fits(attempt, to, kind):
        return False
    bindings.update(attempt)
    return True


def _fits(bindings: Bindings, to: Type, kind: Type) -> bool:
    if to == kind:
        return True
    for one, other in ((to, kind), (kind, to)):
        if one.variable:
            found = bindings.get(one)
            if found is not None:
                if not _fits(bindings, found, other):
                    return False
                if other == DYN:
                    bindings[one] = DYN
                return True
            if not _occurs(bindings, one, other):
                bindings[one] = other
                return True
            return False
    if to in (DYN, ERROR) or kind in (DYN, ERROR):
        return True
    if kind.name == to.name == "type":
        return True
    if kind == NULL or to == NULL:
        return (to if kind == NULL else kind).name not in _NOT_NULL
    return (
        to.name == kind.name
        and len(to.parameters) == len(kind.parameters)
        and all(_fits(bindings, a, b) for a, b in zip(to.parameters, kind.parameters, strict=True))
    )


def _occurs(bindings: Bindings, variable: Type, kind: Type) -> bool:
    if kind == variable:
        return True
    if kind.variable:
        found = bindings.get(kind)
        return found is not None and _occurs(bindings, variable, found)
    return any(_occurs(bindings, variable, part) for part in kind.parameters)


def signature(args: Sequence[Type], member: bool) -> str:
    """Arguments as error texts have them: ``(int, string)``, ``string.(int)``."""
    if member:
        return f"{args[0]}.({', '.join(map(str, args[1:]))})"
    return f"({', '.join(map(str, args))})"
