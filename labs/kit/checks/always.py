"""``always``: once it held, it has held at every moment since; asked of the cluster's past, revision by revision."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from labs.kit import history
from labs.kit.checking import Fail, Judge, Reader
from labs.kit.checks.kind import CheckKind, Context
from labs.kit.words import say


@dataclass(frozen=True)
class AlwaysJudge:
    """Judges every moment from the first at which it held."""

    inner: Any
    """A Judge that is a Snapshot."""

    def judge(self, reader: Reader) -> None:
        """Raises Fail."""
        held, failure = False, None
        for moment in history.moments(reader.cluster, self.inner.kinds()):
            failure = history.failure(self.inner, moment)
            if failure is None:
                held = True
            elif held:
                expected = say("always", expected=failure.expected)
                raise Fail(expected, say("always_found", found=failure.found), failure.look) from failure
        if failure is not None:
            told = say("never_yet", found=failure.found)
            raise Fail(say("always", expected=failure.expected), told, failure.look) from failure

    def mutants(self) -> Iterator[tuple[str, Judge]]:
        """Only now; and each weakening of what is asked."""
        yield "only now", self.inner
        for what, mutant in self.inner.mutants():
            yield what, AlwaysJudge(mutant)


@dataclass(frozen=True)
class OnceJudge:
    """Sticky: it is enough that it held at one moment."""

    inner: Any

    def judge(self, reader: Reader) -> None:
        """Raises Fail, as it stands now, when it never held."""
        for moment in history.moments(reader.cluster, self.inner.kinds()):
            if history.failure(self.inner, moment) is None:
                return
        self.inner.judge(reader)

    def mutants(self) -> Iterator[tuple[str, Judge]]:
        """Must hold now; and each weakening of what is asked."""
        yield "not sticky", self.inner
        for what, mutant in self.inner.mutants():
            yield what, OnceJudge(mutant)


def _build(data: Any, context: Context) -> Judge:
    return AlwaysJudge(context.build(data))


KIND = CheckKind(
    "always",
    "Once it held, it has held at every moment since: asked of the cluster's past, revision by revision.",
    {"$ref": "#/$defs/moment"},
    _build,
    of_past=True,
)
