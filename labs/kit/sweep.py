"""Proves a lab: untouched it fails, its solutions pass, wrong answers fail as they say, each rule of a check matters.

lint(lab)          what can be read: languages, hints, counter-examples, code fences
prove(lab, plays)  what must be run, in a terminal with the real kubectl
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from dataclasses import dataclass, field, replace

from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.apimachinery.yaml import YamlError
from cluster_engine.cluster import Cluster
from cluster_engine.component_helpers.shapes import Problem
from labs.kit import catalog, runner, variables, wrong
from labs.kit.blocks import fences
from labs.kit.checking import Reader
from labs.kit.lab import DEFAULT_SEED, Lab
from labs.kit.pages import HINTS
from labs.kit.plays import Play, Plays
from labs.kit.proofs import Proof, key_of
from labs.kit.runner import Report
from labs.kit.words import LANGUAGES
from labs.kit.workbench import open_cluster

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass
class Findings:
    """What is wrong with a lab; without problems it is proved."""

    lab: str
    problems: list[str] = field(default_factory=list)
    numbers: Counter[str] = field(default_factory=Counter)
    """How much there was to prove: checks, solutions, wrong answers, mutants, variants."""

    def add(self, problem: str) -> None:
        """Notes a problem."""
        self.problems.append(problem)


# ---- what can be read ------------------------------------------------------------------------------------


def lint(lab: Lab) -> Findings:
    """Reads the lab's files."""
    findings = Findings(lab.slug)
    if not SLUG.fullmatch(lab.slug):
        findings.add(f"lab.yaml: slug: expected lower-case words with dashes, found {lab.slug!r}")
    if lab.type != "guided" and len(lab.solutions) < 2:
        findings.add(
            f"solutions/: expected two different ways at least, for a {lab.type}, found {len(lab.solutions)}"
        )
    for check in lab.checks:
        if check.by_rule and "expected" not in check.texts:
            findings.add(
                f"lab.en.md: checks.{check.id}.expected: a rule in CEL is no sentence; say what it asks for"
            )
    findings.problems += wrong.problems(lab)
    _lint_languages(findings, lab)
    _lint_variables(findings, lab)
    _lint_terms(findings, lab)
    return findings


def _lint_languages(findings: Findings, lab: Lab) -> None:
    shapes = {
        language: [(kind, info, code.count("\n")) for kind, info, code in fences(lab.instructions[language])]
        for language in lab.languages
    }
    if len({repr(value) for value in shapes.values()}) > 1:
        findings.add("instructions: the languages differ in their code blocks")
    if lab.raw is None:
        return
    for language, page in lab.raw.pages.items():
        first = lab.raw.pages[LANGUAGES[0]]
        for name in ("objectives", "learned"):
            counts = [len(each.front.data[name]) for each in (page, first)]
            if counts[0] != counts[1]:
                findings.add(f"lab.{language}.md: {name}: expected {counts[1]} sentences, found {counts[0]}")
        for check, words in page.front.data["checks"].items():
            wanted = first.front.data["checks"][check]
            if len(words["hints"]) != HINTS:
                findings.add(
                    f"lab.{language}.md: checks.{check}.hints: expected {HINTS}: where to look, "
                    f"what to think of, how it is written; found {len(words['hints'])}"
                )
            if set(words) != set(wanted):
                findings.add(f"lab.{language}.md: checks.{check}: the texts differ in kind from English")
        if set(page.front.data.get("says", {})) != set(first.front.data.get("says", {})):
            findings.add(f"lab.{language}.md: says: the keys differ from English")


def _lint_variables(findings: Findings, lab: Lab) -> None:
    if lab.raw is None:
        return
    for where in (lab.raw.data, *(page.front for page in lab.raw.pages.values())):
        for path, name in variables.unknown_everywhere(where.data, lab.values):
            findings.add(where.sentence(Problem(path, "a variable of lab.yaml", f"{{{{{name}}}}}")))
    texts = {f"lab.{language}.md": page.markdown for language, page in lab.raw.pages.items()}
    texts |= {"setup.yaml": lab.raw.setup}
    for folder in ("files", "solutions", "wrong"):
        texts |= {f"{folder}/{name}": text for name, text in getattr(lab.raw, folder).items()}
    for place, text in texts.items():
        for line, name in variables.unknown(text, lab.values):
            at = "" if place.endswith(".md") else f":{line}"  # the instructions are put together anew
            findings.add(f"{place}{at}: expected a variable of lab.yaml, found {{{{{name}}}}}")


def _lint_terms(findings: Findings, lab: Lab) -> None:
    for language, page in lab.raw.pages.items() if lab.raw is not None else ():
        text = page.markdown + str(page.front.data)
        for bad, good in catalog.terms(language).items():
            if bad in text:
                findings.add(f"lab.{language}.md: expected the term {good!r}, found {bad!r}")


# ---- what must be run ------------------------------------------------------------------------------------


def prove(lab: Lab, plays: Plays | None = None, seeds: int = 2) -> Findings:
    """Runs the lab in every way that its folder describes; a seeded one in ``seeds`` variants.

    What was played before and did not change is not played again: keep ``plays`` between calls.
    """
    return asyncio.run(_prove(lab, plays if plays is not None else Plays(), seeds))


def proof(lab: Lab, plays: Plays | None = None, seeds: int = 2) -> Proof:
    """``prove``, with how long it took."""
    began = time.perf_counter()
    findings = prove(lab, plays, seeds)
    seconds = round(time.perf_counter() - began, 2)
    return Proof(
        lab.slug, key_of(lab, seeds), seconds, dict(findings.numbers), findings.problems, wrong.alone(lab)
    )


@dataclass(frozen=True)
class _Graded:
    """The cluster that an answer left, and what the checks found there."""

    cluster: Cluster
    report: Report


async def _prove(lab: Lab, plays: Plays, seeds: int) -> Findings:
    findings = lint(lab)
    first = lab.seed if lab.seed is not None else DEFAULT_SEED
    answers = await _variant(findings, lab, plays, first, whole=True)
    _mutate(findings, lab.variant(first), answers)
    for seed in range(first + 1, first + seeds if lab.values else first + 1):
        await _variant(findings, lab, plays, seed, whole=False)
    return findings


async def _variant(findings: Findings, lab: Lab, plays: Plays, seed: int, whole: bool) -> list[_Graded]:
    """One variant: untouched, solved, answered wrongly. What came of it, for the mutants."""
    this = lab.variant(seed)
    told = Findings(lab.slug) if whole else Findings(f"{lab.slug} with seed {seed}")
    try:
        untouched = plays.start(this, seed).cluster
    except (ApiError, YamlError) as error:
        findings.add(f"setup.yaml: {error}")
        return []
    answers = [_Graded(untouched, runner.grade(this, untouched))]
    asked = [check.id for check in this.checks if not check.guard]
    _expect(told, this, "untouched", answers[0].report, asked)
    for name, script in this.solutions.items():
        play = await plays.play(this, seed, script)
        if (solved := _graded(told, this, f"solutions/{name}", play, [])) is not None:
            answers.append(solved)
            if whole:
                _same_twice(told, this, solved, f"solutions/{name}")
    if whole:
        for name, script in this.wrong.items():
            after = this.solutions.get(wrong.goes_on_from(script), "")
            play = await plays.play(this, seed, script, after)
            failed = _graded(told, this, f"wrong/{name}", play, wrong.expected_failures(script))
            answers += [failed] if failed is not None else []
        if runner.boot(this, seed).state_hash() != untouched.state_hash():
            told.add("two boots of the lab differ: the engine is not deterministic")
        await _instructions(told, this, untouched)
        findings.numbers.update(checks=len(this.checks), solutions=len(this.solutions), wrong=len(this.wrong))
    findings.numbers["variants"] += 1
    findings.problems += told.problems if whole else [f"seed {seed}: {each}" for each in told.problems]
    return answers


def _graded(findings: Findings, lab: Lab, name: str, play: Play, fails: list[str]) -> _Graded | None:
    """What the checks find after the play; None for one that did not come to its end."""
    if play.status != 0:
        findings.add(f"{name}: ended with status {play.status}:\n{play.output[-1500:]}")
        return None
    report = runner.grade(lab, play.cluster)
    _expect(findings, lab, name, report, fails)
    return _Graded(play.cluster, report)


def _expect(findings: Findings, lab: Lab, name: str, report: Report, fails: list[str]) -> None:
    earned = any(
        result.state == "passed" and not check.guard
        for result, check in zip(report.checks, lab.checks, strict=True)
    )
    for result, check in zip(report.checks, lab.checks, strict=True):
        holds = "pending" if check.guard and not earned else "passed"  # a guard waits until something is done
        wanted = "failed" if result.id in fails else holds
        if result.state != wanted:
            said = result.error or result.message["en"]
            told = "could not be asked" if result.state == "error" else result.state
            findings.add(
                f"{name}: the check {result.id} should have {wanted}, it {told}{f': {said}' if said else ''}"
            )


def _same_twice(findings: Findings, lab: Lab, solved: _Graded, name: str) -> None:
    """The journal of a played solution, run again, is the same cluster with the same grade."""
    cluster = solved.cluster
    replayed = Cluster.replay(cluster.journal, until=cluster.clock.now)
    if replayed.state_hash() != cluster.state_hash():
        findings.add(f"{name}: replaying its journal gives another state")
    if runner.grade(lab, replayed) != solved.report:
        findings.add(f"{name}: replaying its journal gives another grade")


async def _instructions(findings: Findings, lab: Lab, untouched: Cluster) -> None:
    """Every ``sh`` block that a learner can run as it stands works, in order, on a fresh cluster."""
    done: set[str] = set()
    for language in lab.languages:
        blocks = [
            code
            for kind, info, code in fences(lab.instructions[language])
            if kind == "sh" and "norun" not in info.split()
        ]
        if not blocks or repr(blocks) in done:
            continue
        done.add(repr(blocks))
        async with open_cluster(untouched.fork(), lab.files) as bench:
            for code in blocks:
                result = await bench.run(f"set -e\n{code}")
                if result.status != 0:
                    findings.add(
                        f"lab.{language}.md: a block ended with status {result.status}:\n"
                        f"{code}{result.output[-800:]}"
                    )


def _mutate(findings: Findings, lab: Lab, answers: list[_Graded]) -> None:
    """Each rule of each check, taken away, must change the verdict of some answer: otherwise nobody needs it."""
    readers = [Reader(answer.cluster.fork(), lab.says) for answer in answers]
    for reader in readers:
        reader.trials = {}  # mutants act as their check does
    for index, check in enumerate(lab.checks):
        states = [answer.report.checks[index].state for answer in answers]
        # what fails it first: there a weaker check mostly passes
        order = sorted(range(len(answers)), key=lambda at, of=states: of[at] != "failed")  # type: ignore[misc]
        for what, judge in check.judge.mutants():
            findings.numbers["mutants"] += 1
            mutant = replace(check, judge=judge)
            for at in order:
                if states[at] == "pending":
                    states[at] = runner.judge(check, readers[at]).state
                if runner.judge(mutant, readers[at]).state != states[at]:
                    break
            else:
                findings.add(f"wrong/: no answer tells the check {check.id} from the same {what}")
