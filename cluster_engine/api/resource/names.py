"""Names of drivers, pools, devices, requests and attributes, and lists with a limit.

Models pkg/apis/resource/validation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from cluster_engine.api.storage.v1.csidriver import check_driver_name
from cluster_engine.apimachinery.errors import (
    FieldError,
    duplicate,
    invalid_value,
    required,
    too_long,
    too_many,
)
from cluster_engine.apimachinery.validation import is_dns1123_label, is_dns1123_subdomain, regex_error

MAX_IDENTIFIER = 32
"""Bytes of the name of an attribute or a capacity, without its domain."""
_POOL_LENGTH = 253
_SHOWN_KEY = 63 + 1 + MAX_IDENTIFIER
_IDENTIFIER = "[A-Za-z_][A-Za-z0-9_]*"
_identifier = re.compile(_IDENTIFIER)
_IDENTIFIER_ERROR = regex_error(
    "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric "
    "characters or '_'",
    _IDENTIFIER,
    "my_name",
    "MY_NAME",
    "MyName",
)

Check = Callable[[Any, str], list[FieldError]]


def check_label(name: str, path: str) -> list[FieldError]:
    """The name of a request or a device."""
    return [invalid_value(path, name, text) for text in is_dns1123_label(name)]


def check_subdomain(name: str, path: str) -> list[FieldError]:
    """The name of a class."""
    return [invalid_value(path, name, text) for text in is_dns1123_subdomain(name)]


def check_pool_name(name: str, path: str) -> list[FieldError]:
    """One or more subdomains with slashes between them."""
    if not name:
        return [required(path)]
    problems = [too_long(path, name, _POOL_LENGTH)] if len(name) > _POOL_LENGTH else []
    for part in name.split("/"):
        problems += check_subdomain(part, path)
    return problems


def check_qualified(name: str, path: str) -> list[FieldError]:
    """The name of an attribute or a capacity, with a driver's domain or without."""
    if not name:
        return [required(path, "name required")]
    domain, slash, rest = name.partition("/")
    if not slash:
        return _check_identifier(name, path)
    if "/" in rest:
        return []
    problems = (
        check_driver_name(domain, path)
        if domain
        else [invalid_value(path, "", "the domain must not be empty")]
    )
    if not rest:
        return [*problems, invalid_value(path, "", "the name must not be empty")]
    return problems + _check_identifier(rest, path)


def check_fully_qualified(name: str, path: str) -> list[FieldError]:
    """The name of an attribute with its domain."""
    problems = check_qualified(name, path)
    if "/" not in name:
        text = "a fully qualified name must be a domain and a name separated by a slash"
        problems.append(invalid_value(path, name, text))
    return problems


def _check_identifier(name: str, path: str) -> list[FieldError]:
    problems = [too_long(path, name, MAX_IDENTIFIER)] if len(name) > MAX_IDENTIFIER else []
    return (
        problems if _identifier.fullmatch(name) else [*problems, invalid_value(path, name, _IDENTIFIER_ERROR)]
    )


def check_list(items: Sequence[Any], limit: int, check: Check, path: str) -> list[FieldError]:
    """Each item of a list, unless there are more than the limit (validateSlice)."""
    if len(items) > limit:
        return [too_many(path, len(items), limit)]
    return [problem for index, item in enumerate(items) for problem in check(item, f"{path}[{index}]")]


def check_set(
    items: Sequence[Any], limit: int, check: Check, path: str, key: Callable[[Any], str] = str
) -> list[FieldError]:
    """Each item of a list in which none comes twice (validateSet)."""
    if len(items) > limit:
        return [too_many(path, len(items), limit)]
    return check_list(items, limit, check, path) + duplicates([key(item) for item in items], path)


def duplicates(keys: Iterable[str], path: str) -> list[FieldError]:
    """Those that came before."""
    seen: set[str] = set()  # asked only, never iterated
    problems = []
    for index, key in enumerate(keys):
        if key in seen:
            problems.append(duplicate(f"{path}[{index}]", key))
        seen.add(key)
    return problems


def check_map(
    items: Mapping[str, Any], limit: int, check_key: Check, check: Check, path: str
) -> list[FieldError]:
    """Each key and value of a map, unless there are more than the limit (validateMap)."""
    if len(items) > limit:
        return [too_many(path, len(items), limit)]
    problems: list[FieldError] = []
    for key, item in items.items():
        where = f"{path}[{_shown(key)}]"
        problems += check_key(key, where) + check(item, where)
    return problems


def _shown(key: str) -> str:
    if len(key) <= _SHOWN_KEY:
        return key
    left = _SHOWN_KEY - 3
    return f"{key[: (left + 1) // 2]}...{key[len(key) - left // 2 :]}"
