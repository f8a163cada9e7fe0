"""Proves a lesson: both languages ask and show the same, and every block that a reader can run runs."""

from __future__ import annotations

import asyncio

from cluster_engine.cluster import Cluster
from labs.kit import questions
from labs.kit.catalog import LANGUAGES, Lesson
from labs.kit.sweep import Findings, fences
from labs.kit.workbench import open_cluster

NODES, SEED = 3, 1
"""Of the cluster on which a lesson's blocks run."""


def lint(lesson: Lesson) -> Findings:
    """Reads the lesson's texts."""
    findings = Findings(lesson.slug)
    blocks, asked, headings = {}, {}, {}
    for language in LANGUAGES:
        body = lesson.body[language]
        blocks[language] = [
            (kind, info, code if kind in ("sh", "yaml") else "") for kind, info, code in fences(body)
        ]
        asked[language] = [[answer.right for answer in each.answers] for each in questions.all_of(body)]
        headings[language] = [line.count("#") for line in body.splitlines() if line.startswith("##")]
        for number, question in enumerate(questions.all_of(body), 1):
            if question.problem:
                findings.add(f"lesson.{language}.md: question {number}: {question.problem}")
    first = LANGUAGES[0]
    for language in LANGUAGES[1:]:
        for what, found in (("code blocks", blocks), ("questions", asked), ("headings", headings)):
            if found[language] != found[first]:
                findings.add(f"lesson.{language}.md: the {what} differ from those in lesson.{first}.md")
    return findings


def prove(lesson: Lesson) -> Findings:
    """Reads it, and runs its blocks in order: files are written, ``sh`` without ``norun`` must end well."""
    return asyncio.run(_prove(lesson))


async def _prove(lesson: Lesson) -> Findings:
    findings = lint(lesson)
    async with open_cluster(Cluster(nodes=NODES, seed=SEED), {}) as bench:
        for kind, info, code in fences(lesson.body[LANGUAGES[0]]):
            words = info.split()
            for word in words:
                if word.startswith("file="):
                    bench.write(word.removeprefix("file="), code)
            if kind == "sh" and "norun" not in words:
                result = await bench.run(f"set -e\n{code}")
                if result.status != 0:
                    findings.add(f"a block ended with status {result.status}:\n{code}{result.output[-800:]}")
    return findings
