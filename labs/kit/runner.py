"""Boots a lab's cluster and grades it."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import Any

from cluster_engine.cluster import Cluster
from cluster_engine.component import ClusterOptions
from labs.kit.catalog import Lab
from labs.kit.checking import CheckSpec, Fail, Reader, Text, t

logger = logging.getLogger(__name__)

CRASHED = t(
    "This check itself failed; your answer was not judged. The instructor has been told in the log.",
    "这项检查自身出错，没有评判你的答案。错误已记入日志，供教师查看。",
)


@dataclass(frozen=True)
class CheckResult:
    """What one check found: ``state`` is passed, failed or error."""

    id: str
    title: Text
    state: str
    score: int
    max_score: int
    message: Text
    hint: Text

    def as_dict(self, language: str) -> dict[str, Any]:
        return {
            "id": self.id,
            "title": self.title[language],
            "state": self.state,
            "score": self.score,
            "max_score": self.max_score,
            "message": self.message[language],
            "hint": "" if self.state == "passed" else self.hint[language],
        }


@dataclass(frozen=True)
class Report:
    checks: tuple[CheckResult, ...]

    @property
    def score(self) -> int:
        return sum(result.score for result in self.checks)

    @property
    def max_score(self) -> int:
        return sum(result.max_score for result in self.checks)

    @property
    def passed(self) -> bool:
        return bool(self.checks) and all(result.state == "passed" for result in self.checks)

    def as_dict(self, language: str) -> dict[str, Any]:
        return {
            "score": self.score,
            "max_score": self.max_score,
            "passed": self.passed,
            "checks": [result.as_dict(language) for result in self.checks],
        }


def boot(lab: Lab, seed: int | None = None, start: str | None = None) -> Cluster:
    """A fresh cluster for the lab, its set-up applied and settled."""
    options = ClusterOptions(nodes=lab.nodes, seed=lab.seed if seed is None else seed)
    if start is not None:
        options = replace(options, start=start)
    cluster = Cluster(options=options)
    if lab.setup.strip():
        cluster.apply(lab.setup)
        cluster.settle(limit=120)
    return cluster


def grade(lab: Lab, cluster: Cluster) -> Report:
    """Runs every check on a fork, so that no check can disturb the learner's cluster or another check."""
    return Report(tuple(_run(spec, cluster.fork()) for spec in lab.checks))


def _run(spec: CheckSpec, cluster: Cluster) -> CheckResult:
    message, state = t("", ""), "passed"
    try:
        spec.run(Reader(cluster))
    except Fail as failure:
        state, message = "failed", failure.message
    except Exception:
        logger.exception("check %s crashed", spec.id)
        state, message = "error", CRASHED
    score = spec.points if state == "passed" else 0
    return CheckResult(spec.id, spec.title, state, score, spec.points, message, spec.hint)
