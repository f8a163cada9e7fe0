"""``changed``: who changed a field of an object last, and because of whom."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from cluster_engine.apimachinery.cow import key_of
from cluster_engine.etcd import WatchEvent
from labs.kit import fieldpath
from labs.kit.checking import Fail, Judge, Reader, place
from labs.kit.checks.kind import KIND_NAME, NAME, NAMESPACE, CheckKind, Context, mapping
from labs.kit.expectations import FIELD
from labs.kit.words import Text, join, plain, say


@dataclass(frozen=True)
class ChangedJudge:
    """Judges the last write that gave the field another value; making or deleting the object is one, too."""

    kind: str
    name: str
    field: str
    namespace: str = "default"
    by: str = ""
    not_by: str = ""
    because: str = ""

    def judge(self, reader: Reader) -> None:
        """Raises Fail."""
        kind = reader.kind(self.kind)
        where = place(kind, self.namespace)
        about = {"field": self.field, "kind": kind.kind, "name": self.name}
        expected = join([say("changed", **about), *self._wanted()])
        look = f"why {kind.singular} {self.name}{where}"
        key = f"{self.namespace}/{self.name}" if kind.namespaced else self.name
        change = self._last(reader.cluster.store.changes(kind.group_resource), key)
        if change is None:
            raise Fail(expected, say("never_changed", **about), look)
        try:
            first, *before = reader.cluster.why(self.kind, self.namespace, self.name, change.revision)
        except KeyError:
            raise Fail(expected, say("changed_forgotten", **about), look) from None
        if first.component == self.not_by or first.component != (self.by or first.component):
            raise Fail(expected, say("changed_by", who=first.component), look)
        if self.because and self.because not in {link.component for link in before}:
            chain = list(dict.fromkeys(link.component for link in before))
            found = join([plain(f"`{each}`") for each in chain]) if chain else say("changed_itself")
            raise Fail(expected, say("changed_because", who=found), look)

    def _wanted(self) -> list[Text]:
        by = [say("changed_by", who=self.by)] if self.by else []
        not_by = [say("changed_not_by", who=self.not_by)] if self.not_by else []
        because = [say("changed_because", who=plain(f"`{self.because}`"))] if self.because else []
        return by + not_by + because

    def _last(self, changes: list[WatchEvent], key: str) -> WatchEvent | None:
        return next(
            (each for each in reversed(changes) if key_of(each.object) == key and self._differs(each)), None
        )

    def _differs(self, change: WatchEvent) -> bool:
        after = None if change.type == "DELETED" else change.object
        return bool(fieldpath.resolve(change.previous, self.field) != fieldpath.resolve(after, self.field))

    def mutants(self) -> Iterator[tuple[str, Judge]]:
        """By anybody; because of anybody."""
        if self.by or self.not_by:
            yield "by anybody", replace(self, by="", not_by="")
        if self.because:
            yield "because of anybody", replace(self, because="")


def _build(data: Any, context: Context) -> Judge:
    if "by" in data and "notBy" in data:
        raise ValueError("`by` or `notBy`, found both: who wrote it last is one")
    given = {key: value for key, value in data.items() if key != "notBy"}
    return ChangedJudge(**given, not_by=data.get("notBy", ""))


_WHO = "a component, like kube-scheduler, or the user of a request"

KIND = CheckKind(
    "changed",
    "Who changed a field of an object last, and because of whom.",
    mapping(
        ("kind", "name", "field"),
        kind=KIND_NAME,
        name=NAME,
        namespace=NAMESPACE,
        field=FIELD,
        by={"type": "string", "description": f"who wrote it: {_WHO}"},
        notBy={"type": "string", "description": f"who must not have written it: {_WHO}"},
        because={"type": "string", "description": f"whose write or request it follows from: {_WHO}"},
    ),
    _build,
    of_past=True,
)
