"""Questions in lessons, each of whose answers says what is right or wrong about it, and predictions.

::: question
What does a lost Pod's replacement keep?

- [ ] Its name.
  No: the new Pod gets a name of its own.
- [x] Nothing but the template.
  Yes: …
:::

A prediction is asked before the block of commands that follows it. Each guess has the pattern (a regular expression)
that the block's output matches when it is what happens: the cluster decides, and exactly one is to match.

::: predict
How many Pods are there afterwards?

- /^three$/ Three.
  …
- /^two$/ Two.
  …
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


PREDICT = re.compile(r"^::: predict *\n(.*?)^::: *$", re.MULTILINE | re.DOTALL)
_GUESS = re.compile(r"^- /(.+?)/ +(.*?)\n((?:^(?: {2,}.*|\s*)\n)*)", re.MULTILINE)


@dataclass(frozen=True)
class Guess:
    """What may happen, in Markdown, and the pattern of an output that shows it."""

    text: str
    pattern: str
    why: str


@dataclass(frozen=True)
class Prediction:
    """What is asked before a block runs, in Markdown."""

    text: str
    guesses: tuple[Guess, ...]

    @property
    def problem(self) -> str:
        """What is wrong with it; empty when nothing is."""
        if len(self.guesses) < 2:
            return "expected at least two guesses like `- /pattern/ text`"
        for guess in self.guesses:
            if not guess.why:
                return f"expected an explanation below the guess {guess.text!r}"
            try:
                re.compile(guess.pattern)
            except re.error as error:
                return f"the pattern of the guess {guess.text!r}: {error}"
        return ""

    def matching(self, output: str) -> list[int]:
        """Which guesses the output shows; one, as the sweep proves."""
        return [
            number
            for number, guess in enumerate(self.guesses)
            if re.search(guess.pattern, output, re.MULTILINE)
        ]


def prediction(body: str) -> Prediction:
    """What stands between the two lines of a prediction."""
    found = list(_GUESS.finditer(body))
    text = body[: found[0].start()] if found else body
    return Prediction(
        text.strip(),
        tuple(Guess(match[2].strip(), match[1], re.sub(r"(?m)^ +", "", match[3]).strip()) for match in found),
    )


def predictions_of(text: str) -> list[Prediction]:
    """The predictions of a lesson."""
    return [prediction(match[1]) for match in PREDICT.finditer(text)]
