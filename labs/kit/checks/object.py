"""``object``: one object, by kind and name, and what is expected of its fields."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from labs.kit import expectations
from labs.kit.checking import Fail, Judge, Reader, View, missing, place
from labs.kit.checks import others
from labs.kit.checks.kind import KIND_NAME, LOOK, NAME, NAMESPACE, CheckKind, Context, mapping
from labs.kit.checks.others import Others
from labs.kit.expectations import Expected
from labs.kit.words import say


@dataclass(frozen=True)
class ObjectJudge:
    """Judges one object."""

    kind: str
    name: str
    namespace: str = "default"
    exists: bool = True
    expect: tuple[Expected, ...] = ()
    others: Others = ()
    look: str = ""

    def judge(self, reader: Reader) -> None:
        """Raises Fail."""
        self.judge_view(reader)

    def judge_view(self, view: View) -> None:
        """Raises Fail."""
        kind = view.kind(self.kind)
        found = view.get(self.kind, self.name, self.namespace)
        about = {"kind": kind.kind, "name": self.name}
        where = place(kind, self.namespace)
        if not self.exists:
            if found is not None:
                look = f"kubectl get {kind.singular} {self.name}{where}"
                raise Fail(say("absent", **about), say("present", **about), self.look or look)
            return
        if found is None:
            raise missing(kind, self.name, self.namespace)
        known = others.values(self.others, view)
        for expectation in self.expect:
            if not expectation.holds(found, known):
                expected = say("of", expected=expectation.text, **about)
                look = self.look or f"kubectl get {kind.singular} {self.name}{where} -o yaml"
                raise Fail(expected, expectation.found(found, known), look)

    def kinds(self) -> tuple[str, ...]:
        """The kinds that it looks at."""
        return (self.kind, *others.kinds(self.others))

    def mutants(self) -> Iterator[tuple[str, Judge]]:
        """Each expectation left out."""
        for what, rest in expectations.weaker(self.expect):
            yield what, replace(self, expect=rest)


def _build(data: Any, context: Context) -> Judge:
    beside = others.of(data.get("with"))
    expect = expectations.all_of(data.get("expect", []), others.names(beside))
    plain = {name: value for name, value in data.items() if name != "with"}
    return ObjectJudge(**{**plain, "expect": expect, "others": beside})


KIND = CheckKind(
    "object",
    "One object, by kind and name: it exists (or not), and its fields are as expected.",
    mapping(
        ("kind", "name"),
        kind=KIND_NAME,
        name=NAME,
        namespace=NAMESPACE,
        exists={"type": "boolean", "description": "false: there must be no such object"},
        expect={"type": "array", "items": expectations.SCHEMA, "description": "a list of expectations"},
        look=LOOK,
        **{"with": others.SCHEMA},
    ),
    _build,
    of_moments=True,
)
