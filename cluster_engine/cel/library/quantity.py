"""Quantities: ``quantity('1.5Gi').isGreaterThan(quantity('1G'))``.

Models k8s.io/apiserver/pkg/cel/library/quantity.go.
"""

from __future__ import annotations

from cluster_engine.apimachinery import quantity as quantities
from cluster_engine.cel.errors import CelError
from cluster_engine.cel.library.function import Function, Overload, of_first
from cluster_engine.cel.values import INT_MAX, INT_MIN, Opaque


class Quantity(Opaque):
    """A quantity, as its text; equal to every other of the same amount."""

    type_name = "kubernetes.Quantity"
    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __eq__(self, other: object) -> bool:
        return type(other) is Quantity and quantities.compare(self.text, other.text) == 0

    def __hash__(self) -> int:
        return hash(quantities.parse(self.text))

    def __str__(self) -> str:
        return quantities.canonical(self.text)


def _quantity(text: str) -> Quantity:
    try:
        quantities.parse(text)
    except quantities.QuantityError as error:
        raise CelError(str(error)) from None
    return Quantity(text)


def _is_quantity(text: str) -> bool:
    try:
        quantities.parse(text)
    except quantities.QuantityError:
        return False
    return True


def _is_integer(value: Quantity) -> bool:
    amount = quantities.parse(value.text)
    return amount.denominator == 1 and INT_MIN <= amount <= INT_MAX


def _as_integer(value: Quantity) -> int:
    if not _is_integer(value):
        raise CelError("cannot convert value to integer")
    return int(quantities.parse(value.text))


def _as_float(value: Quantity) -> float:
    return float(quantities.parse(value.text))


def _sign(value: Quantity) -> int:
    return quantities.compare(value.text, "0")


def _compare(left: Quantity, right: Quantity) -> int:
    return quantities.compare(left.text, right.text)


def _greater(left: Quantity, right: Quantity) -> bool:
    return _compare(left, right) == 1


def _less(left: Quantity, right: Quantity) -> bool:
    return _compare(left, right) == -1


def _add(left: Quantity, right: Quantity) -> Quantity:
    return Quantity(quantities.add(left.text, right.text))


def _add_int(left: Quantity, right: int) -> Quantity:
    return Quantity(quantities.add(left.text, str(right)))


def _sub(left: Quantity, right: Quantity) -> Quantity:
    return Quantity(quantities.sub(left.text, right.text))


def _sub_int(left: Quantity, right: int) -> Quantity:
    return Quantity(quantities.sub(left.text, str(right)))


_Q = "kubernetes.Quantity"

FUNCTIONS = (
    Function("quantity", Overload("string_to_quantity", f"(string) -> {_Q}", _quantity, of_first)),
    Function("isQuantity", Overload("is_quantity_string", "(string) -> bool", _is_quantity, of_first)),
    Function("sign", Overload("quantity_sign", f"{_Q}.() -> int", _sign)),
    Function("isGreaterThan", Overload("quantity_is_greater_than", f"{_Q}.({_Q}) -> bool", _greater)),
    Function("isLessThan", Overload("quantity_is_less_than", f"{_Q}.({_Q}) -> bool", _less)),
    Function("compareTo", Overload("quantity_compare_to", f"{_Q}.({_Q}) -> int", _compare)),
    Function("asApproximateFloat", Overload("quantity_get_float", f"{_Q}.() -> double", _as_float)),
    Function("asInteger", Overload("quantity_get_int", f"{_Q}.() -> int", _as_integer)),
    Function("isInteger", Overload("quantity_is_integer", f"{_Q}.() -> bool", _is_integer)),
    Function(
        "add",
        Overload("quantity_add", f"{_Q}.({_Q}) -> {_Q}", _add),
        Overload("quantity_add_int", f"{_Q}.(int) -> {_Q}", _add_int),
    ),
    Function(
        "sub",
        Overload("quantity_sub", f"{_Q}.({_Q}) -> {_Q}", _sub),
        Overload("quantity_sub_int", f"{_Q}.(int) -> {_Q}", _sub_int),
    ),
)
"""One entry for each function."""
