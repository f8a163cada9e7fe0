"""The face of the room: a text compiled once, evaluated often."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cluster_engine.cel import types
from cluster_engine.cel.checker import Checked, check
from cluster_engine.cel.evaluator import compile_tree
from cluster_engine.cel.frame import Frame
from cluster_engine.cel.parser import parse
from cluster_engine.cel.types import Type
from cluster_engine.cel.validators import validate

PER_CALL_LIMIT = 1_000_000
"""What one evaluation may cost (k8s.io/apiserver/pkg/apis/cel: PerCallLimit); some half a second."""


class Budget:
    """What several evaluations may cost together."""

    __slots__ = ("left",)

    def __init__(self, left: int) -> None:
        self.left = left


class Program:
    """A compiled expression. It keeps nothing between evaluations and may be shared."""

    __slots__ = ("_code", "_slots", "checked", "result", "source")

    def __init__(self, source: str, checked: Checked, variables: Mapping[str, Type]) -> None:
        self.source = source
        self.checked = checked
        self.result = checked.result
        self._code, self._slots = compile_tree(checked, variables)

    def evaluate(
        self, activation: Mapping[str, Any], budget: Budget | None = None, limit: int = PER_CALL_LIMIT
    ) -> Any:
        """The value of the expression, with the variables' values (JSON, or values of this room).

        Raises CelError, and CelCostError when it costs more than ``limit`` or than is left of ``budget``, which
        gets less by what it cost either way.
        """
        frame = Frame(activation, self._slots, self._code.cost, limit)
        if budget is None:
            value = self._code.run(frame)
            if frame.cost > limit:
                frame.charge(0)
            return value
        frame.limit = min(limit, budget.left)
        try:
            value = self._code.run(frame)
            frame.charge(0)
            return value
        finally:
            budget.left -= frame.cost


def compile(
    text: str,
    variables: Mapping[str, Type] | Iterable[str] = (),
    objects: Mapping[str, Type] | None = None,
) -> Program:
    """Parses, checks and compiles an expression.

    ``variables`` are names with their types; names alone are ``dyn``: anything, looked at when the expression runs.
    Raises CelSyntaxError and CelTypeError, whose text is what an API server prints.
    """
    declared = dict(variables) if isinstance(variables, Mapping) else dict.fromkeys(variables, types.DYN)
    tree = parse(text)
    checked = check(tree, text, declared, objects)
    validate(checked)
    return Program(text, checked, declared)
