"""What expressions may cost at most, from what the schema says of sizes; figures are those of upstream's tests."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_engine import cel
from cluster_engine.cel import estimator
from cluster_engine.cel.declarations import of_schema
from cluster_engine.cel.frame import Frame

JSON = dict[str, Any]


def listed(items: JSON, **more: Any) -> JSON:
    return {"type": "array", "items": items, **more}


INTEGER: JSON = {"type": "integer"}
TEXT: JSON = {"type": "string"}
MAP: JSON = {"type": "object", "additionalProperties": INTEGER}

CASES: dict[str, tuple[JSON, str, int]] = {
    "fields": ({"type": "object", "properties": {"a": INTEGER, "b": INTEGER}}, "self.a <= self.b", 5),
    "has": ({"type": "object", "properties": {"a": INTEGER}}, "has(self.a)", 1),
    "integers without an end": (listed(INTEGER), "self.all(x, true)", 4_718_591),
    "texts without an end": (listed(TEXT), "self.all(x, true)", 3_145_727),
    "exists": (listed(INTEGER, maxItems=10), "self.exists(x, true)", 42),
    "within each other": (
        listed({"type": "string", "maxLength": 10}, maxItems=100),
        "self.all(n, self.exists_one(m, m == n))",
        80_602,
    ),
    "a map": ({**MAP, "maxProperties": 5}, "self.all(k, true)", 17),
    "a text": (TEXT, "self == oldSelf", 314_575),
    "a text with an end": ({"type": "string", "maxLength": 10}, "self == oldSelf", 6),
    "a choice": ({"type": "string", "enum": ["free", "paid"]}, "self == oldSelf", 3),
    "a pattern": (TEXT, "self.matches('^[a-z]+$')", 629_147),
    "both sides of logic": (INTEGER, "self > 1 && self < 5 || self == 7", 5),
    "the dearer branch": (INTEGER, "self > 1 ? self + 1 + 1 + 1 > 5 : true", 7),
    "a list made": (listed(INTEGER, maxItems=10), "self.map(x, x + 1).size() > 0", 154),
    "unknown": (INTEGER, "lists.range(self).all(x, true)", estimator.UNKNOWN),
}


@pytest.mark.parametrize(("schema", "rule", "cost"), CASES.values(), ids=CASES)
def test_most(schema: JSON, rule: str, cost: int) -> None:
    kind = of_schema(schema, "selfType")
    assert kind is not None
    assert estimator.most(cel.compile(rule, {"self": kind, "oldSelf": kind}).checked) == cost


def spent(program: cel.Program, values: JSON) -> int:
    budget = cel.Budget(10_000_000)
    program.evaluate(values, budget)
    return 10_000_000 - budget.left


RULES = (
    "self.all(x, x.size() < 20)",
    "self.exists(x, x.startsWith('a') || x == 'b')",
    "self.map(x, x + '!').size() == self.size()",
    "self.filter(x, x.contains('a')).all(y, y != '')",
    "self.exists_one(x, x == 'aa') || self.size() in [1, 2, 3]",
    "self.all(x, self.exists(y, x == y && x.matches('a+')))",
    "self.join(',').split(',').size() == self.size()",
    "self.size() > 2 ? self[0] < self[1] : self.isSorted()",
)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("size", [0, 1, 5])
def test_no_evaluation_costs_more(rule: str, size: int) -> None:
    kind = of_schema(listed({"type": "string", "maxLength": 8}, maxItems=5), "selfType")
    assert kind is not None
    program = cel.compile(rule, {"self": kind})
    values = {"self": ["aaaaaaab"[: 8 - n % 3] for n in range(size)]}
    assert spent(program, values) <= estimator.most(program.checked)


COSTS: dict[str, tuple[str, int]] = {
    "constants": ("1 + 2 == 3", 2),
    "a field": ("self.a == 1", 3),
    "has": ("has(self.a)", 1),
    "all": ("[1, 2, 3].all(x, x > 0)", 16),
    "all, decided": ("[1, 2, 3].all(x, x > 1)", 8),
    "exists": ("[1, 2].exists(x, x == 2)", 16),
    "a short cut": ("self.a == 1 || self.b.c.d.e == 2", 3),
    "texts": ("self.t == self.t + ''", 10),
    "a known list": ("self.a in [1, 2, 3]", 2),
    "map": ("[1, 2].map(x, x)", 27),
}


@pytest.mark.parametrize(("text", "cost"), COSTS.values(), ids=COSTS)
def test_what_an_evaluation_costs(text: str, cost: int) -> None:
    assert spent(cel.compile(text, ["self"]), {"self": {"a": 1, "t": "x" * 25}}) == cost


def test_a_frame_counts_what_it_is_told() -> None:
    frame = Frame({}, 0, 1, 10)
    frame.charge(9)
    with pytest.raises(cel.CelCostError):
        frame.charge(1)
