"""Proves a lab: untouched it fails, its solution passes, each wrong answer fails as it says.

lint(lab)   what can be read: both languages, ids, points, counter-examples, code fences
test(lab)   what must be run, in a terminal with the real kubectl
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from cluster_engine.cluster import Cluster
from labs.kit import runner
from labs.kit.catalog import LANGUAGES, Lab
from labs.kit.runner import Report
from labs.kit.workbench import open_lab

_FAILS = re.compile(r"^# fails: (.+)$", re.MULTILINE)
_FENCE = re.compile(r"^```(\S*)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass
class Findings:
    """What is wrong with a lab; empty when it is proved."""

    lab: str
    problems: list[str] = field(default_factory=list)

    def add(self, problem: str) -> None:
        self.problems.append(problem)


def expected_failures(script: str) -> list[str]:
    """The ids in a wrong answer's ``# fails:`` line, in order."""
    match = _FAILS.search(script)
    return match.group(1).split() if match else []


def fences(markdown: str) -> Iterator[tuple[str, str, str]]:
    """(language, the rest of the fence's first line, code) of each code block."""
    for match in _FENCE.finditer(markdown):
        yield match.group(1), match.group(2).strip(), match.group(3)


def lint(lab: Lab) -> Findings:
    """Reads the lab's files."""
    findings = Findings(lab.slug)
    if not SLUG.fullmatch(lab.slug):
        findings.add(f"lab.yaml: slug: expected lower-case words with dashes, found {lab.slug!r}")
    if not lab.checks:
        findings.add("check.py: expected at least one check, found none")
    ids = [check.id for check in lab.checks]
    for check in lab.checks:
        for name, text in (("title", check.title), ("hint", check.hint)):
            for language in LANGUAGES:
                if not text.get(language, "").strip():
                    findings.add(f"check.py: {check.id}: {name}: the text in {language} is missing")
        if check.points < 1:
            findings.add(f"check.py: {check.id}: points: expected at least 1, found {check.points}")
    covered: list[str] = []
    for name, script in lab.wrong.items():
        named = expected_failures(script)
        if not named:
            findings.add(f"wrong/{name}: a line `# fails: <check> …` is missing")
        for unknown in [each for each in named if each not in ids]:
            findings.add(f"wrong/{name}: there is no check {unknown!r}; there are {', '.join(ids)}")
        covered += named
    for check_id in ids:
        if check_id not in covered:
            findings.add(f"wrong/: no wrong answer fails the check {check_id!r}")
    blocks = {
        language: [(kind, info, code.count("\n")) for kind, info, code in fences(lab.instructions[language])]
        for language in LANGUAGES
    }
    if len({repr(value) for value in blocks.values()}) > 1:
        findings.add("instructions: the languages differ in their code blocks")
    return findings


def test(lab: Lab) -> Findings:
    """Runs the lab in every way that its folder describes."""
    return asyncio.run(_test(lab))


test.__test__ = False  # type: ignore[attr-defined]  # pytest: a function of that name, not a test


async def _test(lab: Lab) -> Findings:
    findings = lint(lab)
    untouched = runner.boot(lab)
    report = runner.grade(lab, untouched)
    _expect(findings, "untouched", report, [check.id for check in lab.checks])
    first, second = await _play(findings, lab, "solution.sh", lab.solution, []), runner.boot(lab)
    if first is not None:
        _same_twice(findings, lab, first)
    if second.state_hash() != untouched.state_hash():
        findings.add("two boots of the lab differ: the engine is not deterministic")
    for name, script in lab.wrong.items():
        await _play(findings, lab, f"wrong/{name}", script, expected_failures(script))
    await _instructions(findings, lab)
    return findings


async def _play(
    findings: Findings, lab: Lab, name: str, script: str, fails: list[str]
) -> tuple[Cluster, Report] | None:
    async with open_lab(lab) as bench:
        result = await bench.run(script)
        if result.status != 0:
            findings.add(f"{name}: ended with status {result.status}:\n{result.output[-1500:]}")
            return None
        report = runner.grade(lab, bench.cluster)
        _expect(findings, name, report, fails)
        return bench.cluster, report


def _expect(findings: Findings, name: str, report: Report, fails: list[str]) -> None:
    for result in report.checks:
        wanted = "failed" if result.id in fails else "passed"
        if result.state != wanted:
            said = f": {result.message['en']}" if result.message["en"] else ""
            findings.add(f"{name}: the check {result.id} should have {wanted}, it {result.state}{said}")


def _same_twice(findings: Findings, lab: Lab, played: tuple[Cluster, Report]) -> None:
    """The journal of a played solution, run again, is the same cluster with the same grade."""
    cluster, report = played
    replayed = Cluster.replay(cluster.journal, until=cluster.clock.now)
    if replayed.state_hash() != cluster.state_hash():
        findings.add("solution.sh: replaying its journal gives another state")
    if runner.grade(lab, replayed) != report:
        findings.add("solution.sh: replaying its journal gives another grade")


async def _instructions(findings: Findings, lab: Lab) -> None:
    """Every ``sh`` block that a learner can run as it stands works, in order, on a fresh cluster."""
    for language in LANGUAGES:
        async with open_lab(lab) as bench:
            for kind, info, code in fences(lab.instructions[language]):
                if kind != "sh" or "norun" in info.split():
                    continue
                result = await bench.run(f"set -e\n{code}")
                if result.status != 0:
                    findings.add(
                        f"instructions.{language}.md: a block ended with status {result.status}:\n"
                        f"{code}{result.output[-800:]}"
                    )
