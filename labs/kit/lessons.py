"""Proves a lesson: both languages ask and show the same, every block that a reader can run runs, and what its reader
completes comes to what is said of it."""

from __future__ import annotations

import asyncio
import re

from cluster_engine.cluster import Cluster
from labs.kit import blocks, completions, questions
from labs.kit.blocks import fences
from labs.kit.catalog import Lesson
from labs.kit.completions import Completion
from labs.kit.sweep import Findings
from labs.kit.words import LANGUAGES
from labs.kit.workbench import open_cluster

_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")


def lint(lesson: Lesson) -> Findings:
    """Reads the lesson's texts."""
    findings = Findings(lesson.slug)
    codes, asked, guessed, headings = {}, {}, {}, {}
    for language in lesson.body:
        body = lesson.body[language]
        codes[language] = [
            (kind, info, code if kind in ("sh", "yaml") else "") for kind, info, code in fences(body)
        ]
        asked[language] = [[answer.right for answer in each.answers] for each in questions.all_of(body)]
        predictions = questions.predictions_of(body)
        guessed[language] = [[guess.pattern for guess in each.guesses] for each in predictions]
        for number, prediction in enumerate(predictions, 1):
            if prediction.problem:
                findings.add(f"lesson.{language}.md: prediction {number}: {prediction.problem}")
        headings[language] = [line.count("#") for line in body.splitlines() if line.startswith("##")]
        for number, question in enumerate(questions.all_of(body), 1):
            if question.problem:
                findings.add(f"lesson.{language}.md: question {number}: {question.problem}")
    first = LANGUAGES[0]
    if wrong := blocks.problem(blocks.of(lesson)):
        findings.add(f"lesson.{first}.md: {wrong}")
    if len(guessed[first]) != sum(block.prediction is not None for block in blocks.of(lesson)):
        findings.add(f"lesson.{first}.md: expected a block of commands that runs after each prediction")
    for language in list(lesson.body)[1:]:
        for what, found in (
            ("code blocks", codes),
            ("questions", asked),
            ("guesses", guessed),
            ("headings", headings),
        ):
            if found[language] != found[first]:
                findings.add(f"lesson.{language}.md: the {what} differ from those in lesson.{first}.md")
    return findings


def prove(lesson: Lesson) -> Findings:
    """Reads it, and runs its blocks in order: files are written, ``sh`` without ``norun`` must end well.

    Those that run on a copy of the cluster get one.
    """
    return asyncio.run(_prove(lesson))


async def _prove(lesson: Lesson) -> Findings:
    findings = lint(lesson)
    async with open_cluster(Cluster(nodes=blocks.NODES, seed=blocks.SEED), {}) as bench:
        files: dict[str, str] = {}
        kept = {"": bench.cluster.fork()}
        for block in blocks.of(lesson):
            if block.file:
                files[block.file] = block.code
                bench.write(block.file, block.code)
            if not block.script:
                continue
            if block.own is not None and block.own not in kept:
                continue  # `lint` has said that there is none
            # What a reader may run first of a file: what the API server says to it.
            script = f"set -e\n{block.script}"
            if block.own is None:
                result = await bench.run(script)
            else:
                async with open_cluster(kept[block.own].fork(), files) as copy:
                    result = await copy.run(script)
            if block.name:
                kept[block.name] = bench.cluster.fork()
            if result.status != 0:
                ended = f"a block ended with status {result.status}"
                findings.add(f"{ended}:\n{block.script}{result.output[-800:]}")
            if block.prediction is not None:
                shown = printed(result.output)
                seen = [block.prediction.guesses[number].text for number in block.prediction.matching(shown)]
                if len(seen) != 1:
                    findings.add(f"expected the output to show one guess, found {seen}:\n{shown[-800:]}")
        if lesson.completion is not None:
            await _complete(lesson.completion, kept[""], findings)
    return findings


async def _complete(completion: Completion, start: Cluster, findings: Findings) -> None:
    """Each thing that outcomes say to fill in leads to its outcome; what is right also ends well."""
    for number, outcome in enumerate(completion.outcomes):
        manifest, commands = blocks.completing(completion, outcome.fill)
        async with open_cluster(
            start.fork(), {manifest.file: manifest.code} if manifest.file else {}
        ) as copy:
            # In a shell below: what fails is to end the script, not the terminal.
            result = await copy.run(f"(set -e\n{commands.script})")
        shown = printed(result.output)
        found = completion.happened(shown)
        if found != number or (outcome.right and result.status != 0):
            seen = "none" if found is None else found + 1
            findings.add(
                f"{completions.FILE}: filled in with {outcome.fill!r}: expected outcome {number + 1} to be the first "
                f"that is shown, found {seen}, status {result.status}:\n{shown[-800:]}"
            )


def printed(shown: str) -> str:
    """What a script printed, of all that its terminal showed: without colours, and what was typed at the prompts."""
    typed, _, rest = _CONTROL.sub("", shown).partition("\n")
    return rest.rpartition(typed.partition(":")[0])[0]
