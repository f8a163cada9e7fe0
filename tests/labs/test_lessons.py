"""Lessons: both languages ask and show the same, questions are whole, blocks run."""

from dataclasses import replace

import pytest

from labs.kit import catalog, lessons, questions

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
