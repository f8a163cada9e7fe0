"""Questions in lessons, each of whose answers says what is right or wrong about it.

::: question
What does a lost Pod's replacement keep?

- [ ] Its name.
  No: the new Pod gets a name of its own.
- [x] Nothing but the template.
  Yes: …
:::
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

BLOCK = re.compile(r"^::: question *\n(.*?)^::: *$", re.MULTILINE | re.DOTALL)
_ANSWER = re.compile(r"^- \[([ x])\] +(.*?)\n((?:^(?: {2,}.*|\s*)\n)*)", re.MULTILINE)


@dataclass(frozen=True)
class Answer:
    """One answer, in Markdown."""

    text: str
    right: bool
    why: str


@dataclass(frozen=True)
class Question:
    """A question, in Markdown, and its answers."""

    text: str
    answers: tuple[Answer, ...]

    @property
    def id(self) -> str:
        """What it is known by: a digest of its words and answers, without the explanations."""
        words = "\0".join([self.text, *(f"{answer.right} {answer.text}" for answer in self.answers)])
        return hashlib.sha256(words.encode()).hexdigest()[:12]

    @property
    def problem(self) -> str:
        """What is wrong with it; empty when nothing is."""
        if len(self.answers) < 2:
            return "expected at least two answers like `- [x] text`"
        if not any(answer.right for answer in self.answers):
            return "expected an answer that is right, `- [x]`"
        for answer in self.answers:
            if not answer.why:
                return f"expected an explanation below the answer {answer.text!r}"
        return ""


def read(body: str) -> Question:
    """What stands between the two lines of a block."""
    found = list(_ANSWER.finditer(body))
    text = body[: found[0].start()] if found else body
    return Question(
        text.strip(),
        tuple(
            Answer(match[2].strip(), match[1] == "x", re.sub(r"(?m)^ +", "", match[3]).strip())
            for match in found
        ),
    )


def all_of(text: str) -> list[Question]:
    """The questions of a lesson."""
    return [read(match[1]) for match in BLOCK.finditer(text)]
