"""Boots a lab's cluster and grades it."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import Any

from cluster_engine.apimachinery import yaml
from cluster_engine.cluster import Cluster
from cluster_engine.component import ClusterOptions
from labs.kit.checking import CheckSpec, Fail, Function, Reader
from labs.kit.lab import DEFAULT_SEED, Lab
from labs.kit.words import Text, of, plain, say

logger = logging.getLogger(__name__)

PENDING_SECONDS = 60.0
"""Virtual seconds after which a failed check that then passes by itself counts as under way, not as wrong."""


@dataclass(frozen=True)
class CheckResult:
    """What one check found: ``state`` is passed, failed, pending (it will pass by itself) or error."""

    id: str
    title: Text
    state: str
    score: int
    max_score: int
    message: Text
    hint: Text
    """The first hint."""
    step: str = ""
    look: str = ""
    """The command that shows what is wrong."""
    error: str = ""
    """Why it could not be asked, in a word to its author; learners are not shown it."""

    def as_dict(self, language: str) -> dict[str, Any]:
        """In one language."""
        return {
            "id": self.id,
            "title": of(self.title, language),
            "state": self.state,
            "score": self.score,
            "max_score": self.max_score,
            "message": of(self.message, language),
            "hint": "" if self.state == "passed" else of(self.hint, language),
            "step": self.step,
            "look": self.look,
        }


@dataclass(frozen=True)
class Report:
    """What all checks of a lab found."""

    checks: tuple[CheckResult, ...]
    lab_version: str = ""
    """Of the lab that they belong to."""

    @property
    def score(self) -> int:
        """The points that were reached."""
        return sum(result.score for result in self.checks)

    @property
    def max_score(self) -> int:
        """The points that there are."""
        return sum(result.max_score for result in self.checks)

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return bool(self.checks) and all(result.state == "passed" for result in self.checks)

    def as_dict(self, language: str) -> dict[str, Any]:
        """In one language."""
        return {
            "score": self.score,
            "max_score": self.max_score,
            "passed": self.passed,
            "checks": [result.as_dict(language) for result in self.checks],
        }

    def as_data(self) -> dict[str, Any]:
        """As JSON, with its texts in every language."""
        return {
            "score": self.score,
            "max_score": self.max_score,
            "passed": self.passed,
            "lab_version": self.lab_version,
            "checks": [
                {
                    "id": check.id,
                    "title": dict(check.title),
                    "state": check.state,
                    "score": check.score,
                    "max_score": check.max_score,
                    "message": dict(check.message),
                    "hint": {} if check.state == "passed" else dict(check.hint),
                    "step": check.step,
                    "look": check.look,
                }
                for check in self.checks
            ],
        }


def boot(lab: Lab, seed: int | None = None, start: str | None = None) -> Cluster:
    """A fresh cluster for the lab, its set-up applied and its start acted out, settled."""
    if seed is None:
        seed = lab.seed if lab.seed is not None else DEFAULT_SEED
    lab = lab.variant(seed)
    options = ClusterOptions(
        nodes=lab.nodes,
        seed=seed,
        cloud=lab.cloud,
        scheduler_config=lab.scheduler,
        control_planes=lab.control_planes,
        kubelets=lab.kubelets,
        audit_policy=lab.audit,
        admission_plugins=lab.admission,
        images=lab.images,
    )
    if start is not None:
        options = replace(options, start=start)
    cluster = Cluster(options=options)
    if lab.setup.strip():
        _set_up(cluster, lab.setup)
        cluster.settle(limit=120)
    for act in lab.start:
        act.perform(Reader(cluster))
    if lab.start:
        cluster.settle(limit=120)
    return cluster


def _set_up(cluster: Cluster, manifests: str) -> None:
    """Applies them in order. Pods of a new namespace need its service account, which comes a moment after it."""
    pending: list[Any] = []
    for obj in yaml.load_all(manifests):
        pending.append(obj)
        if isinstance(obj, dict) and obj.get("kind") == "Namespace":
            cluster.apply(pending)
            cluster.settle(limit=10)
            pending = []
    cluster.apply(pending)


class _Copies:
    """What checks look at: one copy for all whose judge is data, which forks before it acts; one for each function.

    Where nobody needs the cluster afterwards (``spent``) it is the first copy itself.
    """

    def __init__(self, cluster: Cluster, spent: bool = False) -> None:
        self._cluster = cluster
        self._shared = cluster if spent else cluster.fork()

    def of(self, spec: CheckSpec) -> Cluster:
        return self._cluster.fork() if isinstance(spec.judge, Function) else self._shared


def grade(lab: Lab, cluster: Cluster, spent: bool = False) -> Report:
    """Runs every check of the cluster's variant on a copy: none disturbs the learner's cluster or another check.

    A check that fails while something is under way is asked again of a copy that has gone on. ``spent``: nobody needs
    the cluster afterwards.
    """
    lab = lab.variant(cluster.options.seed)
    copies = _Copies(cluster, spent)
    results = [judge(spec, Reader(copies.of(spec), lab.says)) for spec in lab.checks]
    if cluster.clock.busy and any(result.state == "failed" for result in results):
        later = cluster.fork()
        later.settle(PENDING_SECONDS)
        copies = _Copies(later, spent=True)
        for index, spec in enumerate(lab.checks):
            if results[index].state == "failed":
                then = judge(spec, Reader(copies.of(spec), lab.says))
                if then.state == "passed":
                    message = say("pending", message=results[index].message)
                    results[index] = replace(results[index], state="pending", message=message)
    earned = any(
        result.state == "passed" and not spec.guard for result, spec in zip(results, lab.checks, strict=True)
    )
    for index, spec in enumerate(lab.checks):
        if spec.guard and not earned and results[index].state == "passed":
            results[index] = replace(results[index], state="pending", score=0, message=say("guard"))
    return Report(tuple(results), lab.version)


def judge(spec: CheckSpec, reader: Reader) -> CheckResult:
    """Runs one check. The reader's cluster is the check's own."""
    message, look, state, why = plain(""), "", "passed", ""
    try:
        spec.run(reader)
    except Fail as failure:
        state, message, look = "failed", failure.message, failure.look
    except Exception as error:
        logger.exception("check %s crashed", spec.id)
        state, message, why = (
            "error",
            say("crashed"),
            str(error.args[0]) if error.args else type(error).__name__,
        )
    score = spec.points if state == "passed" else 0
    return CheckResult(
        spec.id, spec.title, state, score, spec.points, message, spec.hint, spec.step, look, why
    )
