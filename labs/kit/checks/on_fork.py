"""``on_fork``: tries something on a copy of the cluster, as it is or as it was, then checks the copy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.cluster import Cluster
from labs.kit import history
from labs.kit.checking import Fail, Function, Judge, Reader
from labs.kit.checks import acts
from labs.kit.checks.acts import Act
from labs.kit.checks.kind import CheckKind, Context, mapping
from labs.kit.words import join, say


@dataclass(frozen=True)
class ForkJudge:
    """Does the steps on a fork, then judges it."""

    steps: tuple[Act, ...]
    then: tuple[Judge, ...]
    at: Any = None
    """A Judge that is a Snapshot: the copy is of the first moment at which it held. None: of now."""

    def judge(self, reader: Reader) -> None:
        """Raises Fail."""
        trial = self._trial(reader)
        for judge in self.then:
            # Data forks once at most: after the last one nobody needs the trial any more.
            last = reader.trials is None and judge is self.then[-1] and not isinstance(judge, Function)
            try:
                judge.judge(trial.on(trial.cluster, spent=last))
            except Fail as failure:
                steps = join([step.text for step in self.steps])
                words = "on_fork" if self.at is None else "on_fork_then"
                expected = say(words, expected=failure.expected, steps=steps)
                raise Fail(expected, failure.found, failure.look) from failure

    def _of_then(self, reader: Reader) -> Cluster:
        """The cluster at the moment that is named. Raises Fail when there was none."""
        waiting = None
        for moment in history.moments(reader.cluster, self.at.kinds()):
            waiting = history.failure(self.at, moment)
            if waiting is None:
                return history.lived(reader.cluster, moment.revision)
        assert waiting is not None
        raise Fail(waiting.expected, say("never_yet", found=waiting.found), waiting.look) from waiting

    def _trial(self, reader: Reader) -> Reader:
        """The fork after the steps; that of before, where the reader keeps it. Raises Fail."""
        key = (id(self.at), id(self.steps))
        if reader.trials is not None and key in reader.trials:
            return reader.trials[key][1]
        trial = reader.on(reader.fork() if self.at is None else self._of_then(reader))
        for step in self.steps:
            try:
                step.perform(trial)
            except ApiError as error:
                raise Fail(step.text, str(error.status.get("message", ""))) from error
        if reader.trials is not None:
            reader.trials[key] = ((self.at, self.steps), trial)
        return trial

    def mutants(self) -> Iterator[tuple[str, Judge]]:
        """Of now; without what is done; each check after it left out, and each weakened."""
        if self.at is not None:
            yield "only now", replace(self, at=None)
        waits = tuple(step for step in self.steps if step.verb == "advance")
        if len(waits) < len(self.steps):
            yield "nothing done", replace(self, steps=waits)
        for index, judge in enumerate(self.then):
            before, after = self.then[:index], self.then[index + 1 :]
            if len(self.then) > 1:
                yield f"without then[{index}]", replace(self, then=before + after)
            for what, mutant in judge.mutants():
                yield f"then[{index}] {what}", replace(self, then=(*before, mutant, *after))


def _build(data: Any, context: Context) -> Judge:
    at = context.build(data["at"]) if "at" in data else None
    return ForkJudge(acts.of(data["do"]), tuple(context.build(each) for each in data["then"]), at)


KIND = CheckKind(
    "on_fork",
    "Tries something on a copy of the cluster, then checks the copy. The learner's cluster stays as it is.",
    mapping(
        ("do", "then"),
        at={
            "$ref": "#/$defs/moment",
            "description": "what held first at the moment that the copy is of; now when it is left out",
        },
        do={
            "type": "array",
            "minItems": 1,
            "description": "what is done, in order",
            "items": acts.SCHEMA,
        },
        then={
            "type": "array",
            "minItems": 1,
            "items": {"$ref": "#/$defs/rule"},
            "description": "checks of the copy",
        },
    ),
    _build,
)
