"""Lessons: both languages ask and show the same, questions are whole, blocks run."""

import re
from dataclasses import replace

import pytest

from labs.kit import blocks, catalog, lessons, questions

LESSONS = catalog.load().lessons
QUESTION = """::: question
How many?

- [ ] One.
  No: there are two.

  ```sh
  kubectl get pods
  ```
- [x] `Two`.
  Yes.
:::
"""


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.slug)
def test_each_lesson_is_whole(lesson):
    assert lessons.lint(lesson).problems == []


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.slug)
def test_each_lesson_asks_at_least_twice_what_will_happen(lesson):
    assert len(questions.predictions_of(lesson.body["en"])) >= 2


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.slug)
def test_the_minutes_of_a_lesson_are_honest(lesson):
    """Words at 200 a minute, code left out; a quarter of a minute for each block that runs and each question."""
    body = lesson.body["en"]
    words = re.sub(r"^- /.*?/ ", "", re.sub(r"^```.*?^```$", "", body, flags=re.M | re.S), flags=re.M).split()
    asked = len(questions.all_of(body)) + len(questions.predictions_of(body))
    runs = sum(block.commands for block in blocks.of(lesson))
    assert 5 <= lesson.minutes <= 10
    assert abs(len(words) / 200 + (asked + runs) / 4 - lesson.minutes) <= 1.5


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.slug)
def test_each_lab_of_a_lesson_leaves_no_less_to_the_learner_than_the_one_before(lesson):
    difficulties = [lab.difficulty for lab in lesson.labs]
    assert difficulties == sorted(difficulties)


@pytest.mark.slow
@pytest.mark.kubectl
@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.slug)
def test_each_block_of_a_lesson_runs(lesson):
    assert lessons.prove(lesson).problems == []


def test_a_question_is_read():
    (question,) = questions.all_of(f"before\n\n{QUESTION}\nafter")
    assert question.text == "How many?"
    assert [(answer.text, answer.right) for answer in question.answers] == [("One.", False), ("`Two`.", True)]
    assert question.answers[0].why == "No: there are two.\n\n```sh\nkubectl get pods\n```"
    assert question.problem == ""


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        pytest.param("- [x] `Two`.\n  Yes.\n", "", "expected at least two answers", id="one answer"),
        pytest.param("[x]", "[ ]", "expected an answer that is right", id="none right"),
        pytest.param(
            "  Yes.\n", "", "expected an explanation below the answer '`Two`.'", id="no explanation"
        ),
    ],
)
def test_a_question_that_is_not_whole_is_told(old, new, problem):
    body = {language: QUESTION.replace(old, new) for language in catalog.LANGUAGES}
    problems = lessons.lint(replace(LESSONS[0], body=body)).problems
    assert problems[0].startswith(f"lesson.en.md: question 1: {problem}")


@pytest.mark.parametrize(
    ("other", "problem"),
    [
        (QUESTION.replace("[ ]", "[x]"), "the questions differ"),
        (QUESTION + "\n## More\n", "the headings differ"),
        (QUESTION.replace("get pods", "get nodes") + "```sh\nls\n```\n", "the code blocks differ"),
    ],
)
def test_languages_that_differ_are_told(other, problem):
    body = {"en": QUESTION, "zh-hans": other}
    problems = lessons.lint(replace(LESSONS[0], body=body)).problems
    assert any(problem in each for each in problems)


PREDICT = """::: predict
How many?

- /^1$/ One.
  No.
- /^2$/ `Two`.
  Yes.
:::

```sh
echo 2
```
"""


def test_a_prediction_is_read_and_the_output_says_what_came_true():
    (prediction,) = questions.predictions_of(f"before\n\n{PREDICT}\nafter")
    assert prediction.text == "How many?"
    assert [(guess.text, guess.why) for guess in prediction.guesses] == [("One.", "No."), ("`Two`.", "Yes.")]
    assert [prediction.matching(output) for output in ("1\n", "x\n2\n", "3", "1\n2")] == [
        [0],
        [1],
        [],
        [0, 1],
    ]
    (block,) = blocks.of(replace(LESSONS[0], body=dict.fromkeys(catalog.LANGUAGES, PREDICT)))
    assert block.prediction == prediction


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        pytest.param(
            "- /^2$/ `Two`.\n  Yes.\n", "", "prediction 1: expected at least two guesses", id="one guess"
        ),
        pytest.param(
            "  Yes.\n", "", "prediction 1: expected an explanation below the guess '`Two`.'", id="no why"
        ),
        pytest.param("/^2$/", "/(/", "prediction 1: the pattern of the guess '`Two`.': ", id="no pattern"),
    ],
)
def test_a_prediction_that_is_not_whole_is_told(old, new, problem):
    body = {language: PREDICT.replace(old, new) for language in catalog.LANGUAGES}
    assert lessons.lint(replace(LESSONS[0], body=body)).problems[0].startswith(f"lesson.en.md: {problem}")


@pytest.mark.parametrize("block", ["```sh norun\necho 2\n```\n", "```yaml\na: b\n```\n", ""])
def test_a_prediction_needs_a_block_that_runs(block):
    body = dict.fromkeys(catalog.LANGUAGES, PREDICT.replace("```sh\necho 2\n```\n", block))
    assert lessons.lint(replace(LESSONS[0], body=body)).problems == [
        "lesson.en.md: expected a block of commands that runs after each prediction"
    ]


def test_a_prediction_says_the_same_in_both_languages():
    body = dict.fromkeys(catalog.LANGUAGES, PREDICT) | {"zh-hans": PREDICT.replace("/^1$/", "/^one$/")}
    assert lessons.lint(replace(LESSONS[0], body=body)).problems == [
        "lesson.zh-hans.md: the guesses differ from those in lesson.en.md"
    ]


@pytest.mark.kubectl
@pytest.mark.parametrize(
    ("printed", "problems"), [("2", 0), ("3", 1), ("1; echo 2", 1)], ids=["one", "none", "both"]
)
def test_the_output_must_show_one_guess(printed, problems):
    body = dict.fromkeys(catalog.LANGUAGES, PREDICT.replace("echo 2", f"echo {printed}"))
    assert len(lessons.prove(replace(LESSONS[0], body=body)).problems) == problems


def test_what_a_script_printed_is_told_from_what_was_typed():
    prompt = "\x1b[?2004h\x1b[1;32mlearner@drydock\x1b[0m:~$ "
    shown = f"{prompt}. /tmp/script.sh\r\none\r\nno newline{prompt}exit $?\r\n"
    assert lessons.printed(shown) == "one\nno newline"
