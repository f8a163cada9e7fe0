"""The blocks of a lesson that run, and the cluster beside its text on which they do.

A ``sh`` block is typed, unless it says ``norun``; a ``yaml`` block with ``file=`` is put into the home folder, and
tried on the API server when it is asked for by itself. Blocks build on one another: who runs one has run those before.
One that says ``own`` does not: it runs on a copy of the cluster as it was at the start, ``own=NAME`` on one as it was
after the block ``name=NAME``. The copy is gone afterwards, so that it does not matter what was run before, or when.
What a lesson has its reader complete (`labs.kit.completions`) runs on such a copy, too.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from labs.kit import catalog, questions
from labs.kit.catalog import Course, Lesson
from labs.kit.completions import Completion
from labs.kit.lab import Lab
from labs.kit.questions import Prediction
from labs.kit.words import LANGUAGES

NODES, SEED = 3, 1
"""Of the cluster on which a lesson's blocks run."""
PREFIX = "lesson--"
"""Begins the slug of a run that is the cluster beside a lesson."""

_FENCE = re.compile(r"^```(?P<kind>\S*)(?P<info>[^\n]*)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
_PART = re.compile(
    f"{_FENCE.pattern}|{questions.PREDICT.pattern.replace('(', '(?P<predict>', 1)}", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True)
class Block:
    """A block of commands or YAML of a lesson."""

    number: int
    """Its place among these, from 0."""
    code: str
    file: str
    """Its name in the home folder; empty of commands and of YAML that is no file."""
    commands: bool
    """Whether it is commands that run."""
    prediction: Prediction | None = None
    """What is asked before it runs."""
    name: str = ""
    """What `own=` of others calls it."""
    own: str | None = None
    """Of commands that run on a copy: the name of the block after which that is taken, "" of the start."""

    @property
    def script(self) -> str:
        """What the shell is given; empty of a block that does not run."""
        if self.commands:
            return self.code
        # Objects of one file may need one another, and in a dry run none of them comes to be.
        if not self.file or self.file.endswith("kustomization.yaml") or "\n---\n" in self.code:
            return ""
        verb = "create" if "generateName:" in self.code else "apply"
        return f"kubectl {verb} --dry-run=server -f {self.file}"


def fences(markdown: str) -> Iterator[tuple[str, str, str]]:
    """(language, the rest of the fence's first line, code) of each code block."""
    for match in _FENCE.finditer(markdown):
        yield match.group(1), match.group(2).strip(), match.group(3)


def of(lesson: Lesson) -> tuple[Block, ...]:
    """The lesson's blocks of commands and YAML, those that do not run too. They are the same in every language."""
    found: list[Block] = []
    asked: Prediction | None = None
    for part in _PART.finditer(lesson.body[LANGUAGES[0]]):
        if part["kind"] is None:
            asked = questions.prediction(part["predict"])
        elif part["kind"] in ("sh", "yaml"):
            words = part["info"].split()
            commands = part["kind"] == "sh" and "norun" not in words
            block = Block(
                len(found), part["code"], _said(words, "file") or "", commands,
                asked if commands else None, _said(words, "name") or "", _said(words, "own"),
            )  # fmt: skip
            found.append(block)
            asked = None if commands else asked
    return tuple(found)


def completing(completion: Completion, fill: str) -> tuple[Block, Block]:
    """Its manifest and its commands as blocks, with that in the gap. Raises ValueError for what cannot be filled in."""
    manifest, run = completion.filled(fill)
    return Block(0, manifest, completion.file, commands=False), Block(1, run, "", commands=True, own="")


def _said(words: list[str], key: str) -> str | None:
    """What a fence says of `key`: "" of the bare word, None where it says nothing."""
    found = (word.partition("=") for word in words)
    return next((value for name, _equals, value in found if name == key), None)


def until(blocks: tuple[Block, ...], wanted: int, done: set[int]) -> list[Block]:
    """What is run, in this order, when block `wanted` is asked for and those in `done` have run."""
    return [*(block for block in _shared(blocks[:wanted]) if block.number not in done), blocks[wanted]]


def below(blocks: tuple[Block, ...], name: str) -> list[Block]:
    """What has run, in this order, where copies are taken after the block with that name ("": at the start)."""
    end = next((block.number + 1 for block in blocks if block.name == name != ""), 0)
    return _shared(blocks[:end])


def _shared(blocks: tuple[Block, ...]) -> list[Block]:
    """Those that run on the reader's cluster and change it."""
    return [block for block in blocks if block.commands and block.own is None]


def problem(blocks: tuple[Block, ...]) -> str:
    """What is wrong with what their fences say of copies; "" when nothing is."""
    names: set[str] = set()
    for block in blocks:
        if (block.own is not None or block.name) and not block.commands:
            return f"block {block.number + 1}: `own` and `name=` are for commands that run"
        if block.own is not None and block.name:
            return f"block {block.number + 1}: what runs on a copy is gone afterwards, so that none is taken of it"
        if block.own and block.own not in names:
            return f"block {block.number + 1}: expected a block above it with `name={block.own}`"
        if block.name in names:
            return f"block {block.number + 1}: the name {block.name!r} is taken"
        names |= {block.name} - {""}
    return ""


def cluster_of(lesson: Lesson) -> Lab:
    """The cluster beside a lesson, as a lab without steps and checks."""
    digest = hashlib.sha256("".join(lesson.body.values()).encode())
    return Lab(
        slug=PREFIX + lesson.slug, title=lesson.title, summary=lesson.summary, intro={}, steps=(), instructions={},
        objectives=(), learned=(), stretch=None, type="guided", difficulty=1, concepts=(), prerequisites=(), next=None,
        nodes=NODES, seed=SEED, minutes=lesson.minutes, files={}, setup="", start=(), solutions={}, wrong={}, checks=(),
        mutants=(),
        says={}, version=digest.hexdigest()[:16], values={}, folder=lesson.folder, lesson_slug=lesson.slug,
        hurries=True,
    )  # fmt: skip


def lab_of_run(slug: str, course: Course | None = None) -> Lab:
    """What a run with this slug is of: a lab, or the cluster beside a lesson. Raises KeyError."""
    course = course or catalog.load()
    if slug.startswith(PREFIX):
        return cluster_of(course.lesson(slug.removeprefix(PREFIX)))
    return course.lab(slug)
