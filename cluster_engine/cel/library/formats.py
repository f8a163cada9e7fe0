"""Named formats: ``format.dns1123Label().validate(name)`` tells what is wrong with a text.

Models k8s.io/apiserver/pkg/cel/library/format.go.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error
from collections.abc import Callable, Mapping
from datetime import date

from cluster_engine.apimachinery import validation
from cluster_engine.cel.library import urls
from cluster_engine.cel.library.function import Function, Overload, traversal
from cluster_engine.cel.times import read_timestamp
from cluster_engine.cel.values import NONE, Opaque, Optional

_UUID = re.compile(r"(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")

Check = Callable[[str], list[str]]


class Format(Opaque):
    """A format: a name, what it says of a text, and the length of the pattern that its cost is guessed from."""

    type_name = "kubernetes.NamedFormat"
    __slots__ = ("check", "name", "pattern")

    def __init__(self, name: str, check: Check, pattern: int) -> None:
        self.name = name
        self.check = check
        self.pattern = pattern

    def __eq__(self, other: object) -> bool:
        return type(other) is Format and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __str__(self) -> str:
        return self.name


def _prefix(check: Check) -> Check:
    """A name that more will be put behind: it may end with a dash."""

    def run(text: str) -> list[str]:
        return check(text[:-1] + "a" if len(text) > 1 and text.endswith("-") else text)

    return run


def _uri(text: str) -> list[str]:
    wrong = urls.problem(text)
    return [wrong] if wrong else []


def _uuid(text: str) -> list[str]:
    return [] if _UUID.fullmatch(text) else ["does not match the UUID format"]


def _byte(text: str) -> list[str]:
    try:
        b64decode(text, validate=True)
    except (Error, ValueError):
        return ["invalid base64"]
    return []


def _date(text: str) -> list[str]:
    try:
        date.fromisoformat(text if len(text) == 10 else "")
    except ValueError:
        return ["invalid date"]
    return []


def _datetime(text: str) -> list[str]:
    return [] if read_timestamp(text) is not None else ["invalid datetime"]


FORMATS: Mapping[str, Format] = {
    "dns1123Label": Format("DNS1123Label", validation.is_dns1123_label, 30),
    "dns1123Subdomain": Format("DNS1123Subdomain", validation.is_dns1123_subdomain, 60),
    "dns1035Label": Format("DNS1035Label", validation.is_dns1035_label, 30),
    "qualifiedName": Format("QualifiedName", validation.is_qualified_name, 60),
    "dns1123LabelPrefix": Format("DNS1123LabelPrefix", _prefix(validation.is_dns1123_label), 30),
    "dns1123SubdomainPrefix": Format("DNS1123SubdomainPrefix", _prefix(validation.is_dns1123_subdomain), 60),
    "dns1035LabelPrefix": Format("DNS1035LabelPrefix", _prefix(validation.is_dns1035_label), 30),
    "labelValue": Format("LabelValue", validation.is_label_value, 40),
    "uri": Format("URI", _uri, 2000),
    "uuid": Format("uuid", _uuid, 80),
    "byte": Format("byte", _byte, 90),
    "date": Format("date", _date, 130),
    "datetime": Format("datetime", _datetime, 130),
}
"""Every named format."""


def _validate(form: Format, text: str) -> Optional:
    found = form.check(text)
    return Optional(True, found) if found else NONE


def _named(name: str) -> Optional:
    return Optional(True, FORMATS[name]) if name in FORMATS else NONE


def _cost(form: Format, text: str) -> int:
    return traversal(len(text)) * -(-form.pattern // 4)


def _constant(form: Format) -> Callable[[], Format]:
    return lambda: form


_F = "kubernetes.NamedFormat"

FUNCTIONS = (
    *(
        Function(f"format.{name}", Overload(f"format.{name}", f"() -> {_F}", _constant(form)))
        for name, form in FORMATS.items()
    ),
    Function("format.named", Overload("format-named", f"(string) -> optional_type({_F})", _named)),
    Function(
        "validate",
        Overload("format-validate", f"{_F}.(string) -> optional_type(list(string))", _validate, _cost),
    ),
)
"""One entry for each function."""
