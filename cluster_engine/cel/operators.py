"""Closures for what stands in nearly every rule: names, fields, comparisons, logic. Each tries the usual values first.

Models interpreter/interpretable.go and interpreter/attributes.go of cel-go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cluster_engine.cel.errors import CelCostError, CelError
from cluster_engine.cel.frame import Code, Frame, Run
from cluster_engine.cel.library.conversions import as_int
from cluster_engine.cel.library.optional import index_present, select_present
from cluster_engine.cel.library.standard import compare, entry, item, of_both
from cluster_engine.cel.values import (
    INT_MAX,
    INT_MIN,
    Opaque,
    Optional,
    Value,
    equal,
    is_list,
    no_such_key,
    no_such_overload,
)


def select(value: Value, field: str) -> Value:
    """``value.field``. Raises CelError when it is not there."""
    if isinstance(value, Mapping):
        try:
            return value[field]
        except KeyError:
            raise no_such_key(field) from None
    if type(value) is Optional:
        return select_present(value, field)
    if isinstance(value, Opaque):
        return value.select(field)
    if is_list(value):
        raise CelError("unsupported index type 'string' in list")
    raise no_such_key(field)


def present(value: Value, field: str) -> bool:
    """``has(value.field)``."""
    if isinstance(value, Mapping):
        return field in value
    if type(value) is Optional:
        return value.present and present(value.value, field)
    return isinstance(value, Opaque) and value.has(field)


def index(value: Value, key: Value) -> Value:
    """``value[key]``. Raises CelError when it is not there."""
    if isinstance(value, Mapping):
        return entry(value, key)
    if is_list(value):
        return item(value, key)
    if type(value) is Optional:
        return index_present(value, key)
    raise no_such_overload()


def _absent(name: str) -> CelError:
    return CelError(f"no such attribute(s): {name}")


def path(name: str, fields: Sequence[str]) -> Run:
    """``name.field.field``."""

    def slow(frame: Frame) -> Value:
        try:
            value = frame.values[name]
        except KeyError:
            raise _absent(name) from None
        for field in fields:
            value = select(value, field)
        return value

    match fields:
        case []:

            def run(frame: Frame) -> Value:
                try:
                    return frame.values[name]
                except KeyError:
                    raise _absent(name) from None

        case [a]:

            def run(frame: Frame) -> Value:
                try:
                    return frame.values[name][a]
                except (KeyError, TypeError):
                    return slow(frame)

        case [a, b]:

            def run(frame: Frame) -> Value:
                try:
                    return frame.values[name][a][b]
                except (KeyError, TypeError):
                    return slow(frame)

        case [a, b, c]:

            def run(frame: Frame) -> Value:
                try:
                    return frame.values[name][a][b][c]
                except (KeyError, TypeError):
                    return slow(frame)

        case _:
            run = slow
    return run


def local(slot: int, fields: Sequence[str]) -> Run:
    """``x.field`` of a loop's variable."""
    if not fields:

        def run(frame: Frame) -> Value:
            return frame.slots[slot]

        return run

    def follow(frame: Frame) -> Value:
        value = frame.slots[slot]
        for field in fields:
            value = value[field] if type(value) is dict and field in value else select(value, field)
        return value

    return follow


def selection(operand: Run, field: str) -> Run:
    """``operand.field`` of what a call gives."""

    def run(frame: Frame) -> Value:
        return select(operand(frame), field)

    return run


def test(operand: Run, field: str) -> Run:
    """``has(operand.field)``."""

    def run(frame: Frame) -> bool:
        value = operand(frame)
        return field in value if type(value) is dict else present(value, field)

    return run


def subscript(operand: Run, key: Run) -> Run:
    """``operand[key]``."""

    def run(frame: Frame) -> Value:
        return index(operand(frame), key(frame))

    return run


def equality(left: Code, right: Code, same: bool) -> Run:
    """``==`` and ``!=``; the cost of short texts and numbers is 1, which is part of the code's own."""
    run_left, run_right = left.run, right.run

    def run(frame: Frame) -> bool:
        a, b = run_left(frame), run_right(frame)
        kind = type(a)
        if kind is type(b):
            if kind is str:
                shorter = min(len(a), len(b))
                if shorter > 10:
                    frame.charge((shorter - 1) // 10)
                return (a == b) is same
            if kind is int or kind is bool:
                return (a == b) is same
        frame.charge(of_both(a, b) - 1)
        return equal(a, b, frame) is same

    return run


def comparison(left: Code, right: Code, sign: str) -> Run:
    """``<``, ``<=``, ``>`` and ``>=``."""
    a, b = left.run, right.run
    match sign:
        case "_<_":

            def run(frame: Frame) -> bool:
                x, y = a(frame), b(frame)
                return x < y if type(x) is int and type(y) is int else _ordered(frame, x, y) == -1

        case "_<=_":

            def run(frame: Frame) -> bool:
                x, y = a(frame), b(frame)
                return x <= y if type(x) is int and type(y) is int else _ordered(frame, x, y) in (-1, 0)

        case "_>_":

            def run(frame: Frame) -> bool:
                x, y = a(frame), b(frame)
                return x > y if type(x) is int and type(y) is int else _ordered(frame, x, y) == 1

        case _:

            def run(frame: Frame) -> bool:
                x, y = a(frame), b(frame)
                return x >= y if type(x) is int and type(y) is int else _ordered(frame, x, y) in (0, 1)

    return run


def _ordered(frame: Frame, left: Value, right: Value) -> int | None:
    frame.charge(of_both(left, right) - 1)
    return compare(left, right)


def sum_of(left: Code, right: Code, slow: Callable[[Frame, Value, Value], Value], minus: bool) -> Run:
    """``+`` and ``-`` of ints, quickly; ``slow`` does the rest."""
    a, b = left.run, right.run

    def plus(frame: Frame) -> Value:
        x, y = a(frame), b(frame)
        if type(x) is int and type(y) is int:
            total = x + y
            return total if INT_MIN <= total <= INT_MAX else as_int(total)
        return slow(frame, x, y)

    def less(frame: Frame) -> Value:
        x, y = a(frame), b(frame)
        if type(x) is int and type(y) is int:
            total = x - y
            return total if INT_MIN <= total <= INT_MAX else as_int(total)
        return slow(frame, x, y)

    return less if minus else plus


def logic(terms: Sequence[Code], decides: bool) -> Run:
    """``&&`` (False decides) and ``||`` (True decides): errors of other terms count only when none decides."""
    first, rest = terms[0].run, tuple((term.run, term.cost) for term in terms[1:])

    def run(frame: Frame) -> Any:
        try:
            value = first(frame)
            if value is decides:
                return decides
            failure = None if type(value) is bool else no_such_overload()
        except CelCostError:
            raise
        except CelError as error:
            failure = error
        for term, cost in rest:
            frame.cost += cost
            try:
                value = term(frame)
                if value is decides:
                    return decides
                if type(value) is not bool and failure is None:
                    failure = no_such_overload()
            except CelCostError:
                raise
            except CelError as error:
                failure = failure or error
        if failure is not None:
            raise failure
        return not decides

    return run


def choice(condition: Code, then: Code, other: Code) -> Run:
    """``condition ? then : other``."""
    asked = condition.run
    run_then, then_cost = then.run, then.cost
    run_other, other_cost = other.run, other.cost

    def run(frame: Frame) -> Value:
        value = asked(frame)
        if value is True:
            frame.cost += then_cost
            return run_then(frame)
        if value is False:
            frame.cost += other_cost
            return run_other(frame)
        raise no_such_overload()

    return run


def fallback(target: Run, other: Code, whole: bool) -> Run:
    """``target.orValue(other)`` and, ``whole``, ``target.or(other)``; the argument is evaluated only if needed."""
    run_other, cost = other.run, other.cost

    def run(frame: Frame) -> Value:
        found = target(frame)
        if type(found) is not Optional:
            raise no_such_overload()
        if found.present:
            return found if whole else found.value
        frame.cost += cost
        return run_other(frame)

    return run


def bound(value: Run, slot: int, body: Code, flat: bool) -> Run:
    """``value.optMap(x, body)`` and, ``flat``, ``optFlatMap``."""
    run_body, cost = body.run, body.cost

    def run(frame: Frame) -> Any:
        found = value(frame)
        if type(found) is not Optional:
            raise no_such_overload()
        if not found.present:
            return found
        frame.cost += cost
        frame.slots[slot] = found.value
        result = run_body(frame)
        return result if flat else Optional(True, result)

    return run
