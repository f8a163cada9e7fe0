"""``list``: the objects that selectors and conditions pick, how many there are, and what is expected of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from cluster_engine.apimachinery.scheme import Kind
from labs.kit import expectations, fieldpath
from labs.kit.checking import JSON, Fail, Judge, Reader, View, place
from labs.kit.checks import others
from labs.kit.checks.kind import KIND_NAME, LABELS, LOOK, CheckKind, Context, mapping
from labs.kit.checks.others import Others
from labs.kit.expectations import Expectation, Expected, Rule
from labs.kit.words import Text, plain, say

_READY = (
    Expectation("status.conditions[type=Ready].status", "is", "True"),
    Expectation("metadata.deletionTimestamp", "exists", False),
)


@dataclass(frozen=True)
class Count:
    """How many there must be."""

    least: int = 1
    most: int | None = None

    @property
    def key(self) -> tuple[str, int]:
        """The text's key, and its number."""
        if self.least == self.most:
            return "count_exactly", self.least
        return ("count_at_least", self.least) if self.most is None else ("count_at_most", self.most)

    def holds(self, number: int) -> bool:
        """Whether there are so many."""
        return number >= self.least and (self.most is None or number <= self.most)


@dataclass(frozen=True)
class ListJudge:
    """Judges the objects that are picked."""

    kind: str
    namespace: str = "default"
    labels: str = ""
    fields: str = ""
    ready: bool = False
    where: tuple[Expected, ...] = ()
    count: Count = Count()
    each: tuple[Expected, ...] = ()
    rule: Rule | None = None
    """In CEL, over all of them: ``self`` is the list."""
    others: Others = ()
    distinct: tuple[str, int] | None = None
    look: str = ""

    def judge(self, reader: Reader) -> None:
        """Raises Fail."""
        self.judge_view(reader)

    def judge_view(self, view: View) -> None:
        """Raises Fail."""
        kind = view.kind(self.kind)
        known = others.values(self.others, view)
        found = self.picked(view, known)
        look = self.look or self._look(kind)
        if not self.count.holds(len(found)):
            key, number = self.count.key
            expected = say(key, count=number, things=self._things(kind))
            raise Fail(expected, say("found_count", count=len(found)), look)
        for obj in found:
            for expectation in self.each:
                if not expectation.holds(obj, known):
                    expected = say("count_each", expected=expectation.text, things=self._things(kind))
                    told = say("found_in", found=expectation.found(obj, known), name=obj["metadata"]["name"])
                    raise Fail(expected, told, look)
        if self.distinct is not None:
            field, least = self.distinct
            values = {str(fieldpath.resolve(obj, field)) for obj in found}
            if len(values) < least:
                expected = say("count_distinct", count=least, field=field, things=self._things(kind))
                raise Fail(expected, say("found_count", count=len(values)), look)

        if self.rule is not None and not self.rule.holds(found, known):
            raise Fail(self.rule.text, self.rule.found(found, known), look)

    def picked(self, view: View, known: dict[str, Any]) -> list[JSON]:
        """The objects that it is about."""
        namespace = None if self.namespace == "*" or not view.kind(self.kind).namespaced else self.namespace
        conditions = (*self.where, *(_READY if self.ready else ()))
        found = view.list(self.kind, namespace, self.labels, self.fields)
        return [obj for obj in found if all(each.holds(obj, known) for each in conditions)]

    def kinds(self) -> tuple[str, ...]:
        """The kinds that it looks at."""
        return (self.kind, *others.kinds(self.others))

    def mutants(self) -> Iterator[tuple[str, Judge]]:
        """Each condition and expectation left out, and the count."""
        for what, rest in expectations.weaker(self.where):
            yield f"where {what}", replace(self, where=rest)
        for what, rest in expectations.weaker(self.each):
            yield f"each {what}", replace(self, each=rest)
        if self.ready:
            yield "without ready", replace(self, ready=False)
        if self.distinct is not None:
            yield "without distinct", replace(self, distinct=None)
        if self.rule is not None:
            yield f"without {self.rule.about}", replace(self, rule=None)
            for rule in self.rule.weaker():
                yield f"with {rule.source} alone", replace(self, rule=rule)
        if self.count.least > 0 and self.count != Count():
            yield "any number", replace(self, count=Count(0))
        if self.count.most is not None and self.count.least > 0:
            yield "without an upper bound", replace(self, count=Count(self.count.least))

    def _things(self, kind: Kind) -> Text:
        selector = ",".join(part for part in (self.labels, self.fields) if part)
        return say(
            "things",
            ready=say("things_ready") if self.ready else plain(""),
            kinds={**plain(kind.kind), "en": _plural(kind.kind)},
            selector=say("things_selector", selector=selector) if selector else plain(""),
            where=say("things_where", where=expectations.texts(self.where)) if self.where else plain(""),
        )

    def _look(self, kind: Kind) -> str:
        where = " -A" if self.namespace == "*" and kind.namespaced else place(kind, self.namespace)
        selector = f" -l '{self.labels}'" if self.labels else ""
        fields = f" --field-selector={self.fields}" if self.fields else ""
        return f"kubectl get {kind.resource}{where}{selector}{fields}"


def _plural(kind: str) -> str:
    if kind.endswith("y"):
        return kind[:-1] + "ies"
    return kind + ("es" if kind.endswith(("s", "ss")) else "s")


def count_of(data: Any) -> Count:
    """From a number, or ``{atLeast: …, atMost: …}``."""
    if isinstance(data, int):
        return Count(data, data)
    return Count(data.get("atLeast", 0), data.get("atMost"))


def _build(data: Any, context: Context) -> Judge:
    beside = others.of(data.get("with"))
    names = others.names(beside)
    more = {name: expectations.all_of(data.get(name, []), names) for name in ("where", "each")}
    plain = {name: value for name, value in data.items() if name not in ("with", "cel")}
    distinct = data.get("distinct")
    return ListJudge(
        **{
            **plain,
            **more,
            "rule": Rule.of(data["cel"], ("self", *names)) if "cel" in data else None,
            "others": beside,
            "count": count_of(data["count"]) if "count" in data else Count(),
            "distinct": (distinct["field"], distinct["atLeast"]) if distinct else None,
        }
    )


_NUMBER = {"type": "integer", "minimum": 0}

KIND = CheckKind(
    "list",
    "The objects that selectors and conditions pick: how many there are, and what is expected of each.",
    mapping(
        ("kind",),
        kind=KIND_NAME,
        namespace={
            "type": "string",
            "description": "a namespace, or * for all; `default` when it is left out",
        },
        labels=LABELS,
        fields={"type": "string", "description": "a field selector, like status.phase=Running"},
        ready={"type": "boolean", "description": "true: only those that are Ready and not on their way out"},
        where={
            "type": "array",
            "items": expectations.SCHEMA,
            "description": "conditions that pick among them",
        },
        count={
            "anyOf": [
                _NUMBER,
                {**mapping((), atLeast=_NUMBER, atMost=_NUMBER), "minProperties": 1},
            ],
            "description": "a number, or {atLeast: …, atMost: …}; at least 1 when it is left out",
        },
        each={
            "type": "array",
            "items": expectations.SCHEMA,
            "description": "what is expected of each of them",
        },
        distinct={
            **mapping(("field", "atLeast"), field=expectations.FIELD, atLeast=_NUMBER),
            "description": "a field that has at least so many different values among them",
        },
        cel={**expectations.CEL, "description": "a rule in CEL over all of them; `self` is the list"},
        look=LOOK,
        **{"with": others.SCHEMA},
    ),
    _build,
    of_moments=True,
)
