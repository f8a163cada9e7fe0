"""Values that may be absent: ``optional.of``, ``a.?b``, ``orValue`` and their kin.

Models cel/library.go (optionalLib) of cel-go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cluster_engine.cel.errors import CelError
from cluster_engine.cel.library.function import Function, Overload
from cluster_engine.cel.library.standard import entry, item
from cluster_engine.cel.values import NONE, Opaque, Optional, Value, is_list, no_such_key


def of_non_zero(value: Value) -> Optional:
    """An absent value for null, false, 0 and what is empty."""
    empty = (is_list(value) or isinstance(value, Mapping)) and not len(value)
    zero = empty or value is None or (isinstance(value, (bool, int, float, str, bytes)) and not value)
    return NONE if zero else Optional(True, value)


def select(value: Value, field: str) -> Optional:
    """``value.?field``."""
    if type(value) is Optional:
        return select(value.value, field) if value.present else NONE
    if isinstance(value, Mapping):
        return Optional(True, value[field]) if field in value else NONE
    if isinstance(value, Opaque) and value.has(field):
        return Optional(True, value.select(field))
    return NONE


def index(value: Value, key: Value) -> Optional:
    """``value[?key]``."""
    if type(value) is Optional:
        return index(value.value, key) if value.present else NONE
    try:
        return Optional(True, entry(value, key) if isinstance(value, Mapping) else item(value, key))
    except CelError:
        return NONE


def index_present(value: Optional, key: Value) -> Optional:
    """``value[key]`` of an optional: absent when it is, an error when the key is not there."""
    if not value.present:
        return NONE
    inner = value.value
    return Optional(True, entry(inner, key) if isinstance(inner, Mapping) else item(inner, key))


def _value(value: Optional) -> Value:
    if not value.present:
        raise CelError("optional.none() dereference")
    return value.value


def _first(items: Any) -> Optional:
    return Optional(True, items[0]) if items else NONE


def _last(items: Any) -> Optional:
    return Optional(True, items[-1]) if items else NONE


def _unwrap(items: Any) -> list[Value]:
    return [found.value for found in items if found.present]


def select_present(value: Optional, field: str) -> Optional:
    """``value.field`` of an optional: absent when it is, an error when the field is not there."""
    if not value.present:
        return NONE
    found = select(value.value, field)
    if not found.present:
        raise no_such_key(field)
    return found


FUNCTIONS = (
    Function(
        "optional.of", Overload("optional_of", "(A) -> optional_type(A)", lambda value: Optional(True, value))
    ),
    Function(
        "optional.ofNonZeroValue",
        Overload("optional_ofNonZeroValue", "(A) -> optional_type(A)", of_non_zero),
    ),
    Function("optional.none", Overload("optional_none", "() -> optional_type(A)", lambda: NONE)),
    Function("value", Overload("optional_value", "optional_type(A).() -> A", _value)),
    Function(
        "hasValue", Overload("optional_hasValue", "optional_type(A).() -> bool", lambda value: value.present)
    ),
    Function(
        "_[?_]",
        Overload("list_optindex_optional_int", "(list(A), int) -> optional_type(A)", index),
        Overload(
            "optional_list_optindex_optional_int", "(optional_type(list(A)), int) -> optional_type(A)", index
        ),
        Overload("map_optindex_optional_value", "(map(A, B), A) -> optional_type(B)", index),
        Overload(
            "optional_map_optindex_optional_value", "(optional_type(map(A, B)), A) -> optional_type(B)", index
        ),
    ),
    Function("first", Overload("list_first", "list(A).() -> optional_type(A)", _first)),
    Function("last", Overload("list_last", "list(A).() -> optional_type(A)", _last)),
    Function("optional.unwrap", Overload("optional_unwrap", "(list(optional_type(A))) -> list(A)", _unwrap)),
    Function("unwrapOpt", Overload("optional_unwrapOpt", "list(optional_type(A)).() -> list(A)", _unwrap)),
)
"""``or`` and ``orValue`` are not here: they leave their argument alone when there is a value (``evaluator.py``)."""
