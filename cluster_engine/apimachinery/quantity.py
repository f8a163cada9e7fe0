"""resource.Quantity: exact numbers with suffixes (``500m``, ``1Gi``, ``1e3``).

Amounts are exact fractions; everything is memoised by text because a cluster uses few different quantities.

Models k8s.io/apimachinery/pkg/api/resource.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache
from typing import Any

FORMAT_ERROR = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
NUMERIC_ERROR = "unable to parse numeric part of quantity"
SUFFIX_ERROR = "unable to parse quantity's suffix"

MAX_LENGTH = 128
"""Characters of a quantity; upstream takes more but rounds to 63 bits anyway."""

DECIMAL, BINARY, EXPONENT = "DecimalSI", "BinarySI", "DecimalExponent"
_DECIMAL_SUFFIX = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY_SUFFIX = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_SUFFIX_OF_EXPONENT = {exponent: suffix for suffix, exponent in _DECIMAL_SUFFIX.items()}
_SUFFIX_OF_BITS = {bits: suffix for suffix, bits in _BINARY_SUFFIX.items()}
_SHAPE = re.compile(r"([+-]?)([0-9]*)(\.?)([0-9]*)([eEinumkKMGTP]*)([-+]?)([0-9]*)")
_NANO = Fraction(1, 10**9)
_MAX = Fraction(2**63 - 1)

Text = str | int | float


class QuantityError(ValueError):
    """A quantity that cannot be read; the text is upstream's."""


@lru_cache(maxsize=16384)
def _read(text: str) -> tuple[Fraction, str]:
    """(amount, format) of a quantity's text."""
    if not text or len(text) > MAX_LENGTH or not text.isascii():
        raise QuantityError(FORMAT_ERROR)
    match = _SHAPE.fullmatch(text)
    if match is None:
        raise QuantityError(FORMAT_ERROR)
    sign, whole, _, part, letters, exponent_sign, exponent_digits = match.groups()
    if not whole and not part:
        raise QuantityError(NUMERIC_ERROR if letters or exponent_digits or not match[3] else FORMAT_ERROR)
    suffix = letters + exponent_sign + exponent_digits
    scale: Fraction
    if suffix in _DECIMAL_SUFFIX:
        form, scale = DECIMAL, Fraction(10) ** _DECIMAL_SUFFIX[suffix]
    elif suffix in _BINARY_SUFFIX:
        form, scale = BINARY, Fraction(2 ** _BINARY_SUFFIX[suffix])
    elif letters in ("e", "E") and exponent_digits and len(exponent_digits) <= 3:
        form, scale = EXPONENT, Fraction(10) ** int(exponent_sign + exponent_digits)
    else:
        raise QuantityError(SUFFIX_ERROR)
    amount = Fraction(int((whole + part) or "0"), 10 ** len(part)) * scale
    # As upstream: what is finer than a nano is rounded up, what is beyond 63 bits is capped.
    if amount % _NANO:
        amount = (amount // _NANO + 1) * _NANO
    amount = min(amount, _MAX)
    if form == BINARY and amount < 1:
        form = DECIMAL
    return (-amount if sign == "-" else amount), form


def _text(quantity: Text) -> str:
    if isinstance(quantity, str):
        return quantity
    if isinstance(quantity, bool) or not isinstance(quantity, (int, float)):
        raise QuantityError(FORMAT_ERROR)
    if isinstance(quantity, int):
        return str(quantity)
    return str(int(quantity)) if quantity.is_integer() and abs(quantity) < 1e15 else repr(quantity)


def parse(quantity: Text) -> Fraction:
    """The exact amount; raises QuantityError."""
    return _read(_text(quantity))[0]


def _format(amount: Fraction, form: str) -> str:
    if not amount:
        return "0"
    if form == BINARY and (abs(amount) < 1024 or amount.denominator != 1):
        form = DECIMAL
    if form == BINARY:
        number, bits = int(amount), 0
        while bits < 60 and number % 1024 == 0:
            number //= 1024
            bits += 10
        return f"{number}{_SUFFIX_OF_BITS.get(bits, '')}"
    nanos = amount / _NANO
    number = -(-nanos.numerator // nanos.denominator)
    exponent = -9
    while exponent < 18 and number % 1000 == 0:
        number //= 1000
        exponent += 3
    if form == EXPONENT:
        return f"{number}e{exponent}" if exponent else str(number)
    return f"{number}{_SUFFIX_OF_EXPONENT[exponent]}"


@lru_cache(maxsize=16384)
def _canonical(text: str) -> str:
    return _format(*_read(text))


def canonical(quantity: Text) -> str:
    """The text a Quantity marshals to: no fraction, the largest suffix that fits (``1000m`` → ``1``)."""
    return _canonical(_text(quantity))


@lru_cache(maxsize=16384)
def _resource(text: str) -> str:
    amount, form = _read(text)
    milli = amount * 1000
    return _format(Fraction(-(-milli.numerator // milli.denominator), 1000), form)


def canonical_resource(quantity: Text) -> str:
    """The canonical text, rounded up to thousandths as resource lists are when they are defaulted."""
    return _resource(_text(quantity))


@lru_cache(maxsize=16384)
def _value(text: str) -> int:
    amount = _read(text)[0]
    return -(-amount.numerator // amount.denominator)


@lru_cache(maxsize=16384)
def _milli(text: str) -> int:
    amount = _read(text)[0] * 1000
    return -(-amount.numerator // amount.denominator)


def value(quantity: Text) -> int:
    """The amount as a whole number, rounded up (Quantity.Value)."""
    return _value(quantity if isinstance(quantity, str) else _text(quantity))


def milli(quantity: Text) -> int:
    """Thousandths, rounded up (Quantity.MilliValue)."""
    return _milli(quantity if isinstance(quantity, str) else _text(quantity))


def compare(left: Text, right: Text) -> int:
    """-1, 0 or 1."""
    a, b = parse(left), parse(right)
    return (a > b) - (a < b)


def add(left: Text, right: Text) -> str:
    """The sum, in the format of ``left`` (of ``right`` when left is zero)."""
    a, form = _read(_text(left))
    b, other = _read(_text(right))
    return _format(a + b, form if a else other)


def sub(left: Text, right: Text) -> str:
    """The difference, in the format of ``left`` (of ``right`` when left is zero)."""
    a, form = _read(_text(left))
    b, other = _read(_text(right))
    return _format(a - b, form if a else other)


def from_milli(amount: int, like: Text = "0") -> str:
    """The text of so many thousandths, in the format of ``like``."""
    return _format(Fraction(amount, 1000), _read(_text(like))[1])


def from_bytes(amount: int) -> str:
    """The text of so many bytes (NewQuantity with BinarySI)."""
    return _format(Fraction(amount), BINARY)


def add_resources(left: Mapping[str, Any] | None, right: Mapping[str, Any] | None) -> dict[str, str]:
    """The sum of two resource lists."""
    total: dict[str, str] = dict(left or {})
    for name, quantity in (right or {}).items():
        total[name] = add(total[name], quantity) if name in total else canonical(quantity)
    return total
