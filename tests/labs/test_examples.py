"""Played examples: read from their files, recorded, and as true as on the day when they were recorded."""

import json
from dataclasses import replace

import pytest

from labs.kit import catalog, examples, recording
from labs.kit.located import CatalogError

LESSONS = catalog.load().lessons
IN_ALL = {"type": "object", "required": list(catalog.LANGUAGES)}
TEXT = """title: {en: Two, zh-hans: 二}
steps:
  - {goal: {en: A, zh-hans: 甲}, run: "echo one", look: one, says: {en: One., zh-hans: 一。}}
  - {goal: {en: B, zh-hans: 乙}, run: "echo two; echo three", look: ^t, says: {en: Two., zh-hans: 二。}}
"""
SHOWN = [
    {"output": each, "time": "2026-01-01T00:00:13Z", "picture": {}} for each in ("one\n", "two\nthree\n")
]
OF = examples.digest_of(["echo one", "echo two; echo three"])


def read(text: str = TEXT, of: str = OF) -> examples.Example:
    return examples.read(text, "example.yaml", json.dumps({"of": of, "steps": SHOWN}), IN_ALL)


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.slug)
def test_each_lesson_has_an_example_that_shows_what_to_look_at(lesson):
    assert lesson.example is not None
    assert lesson.example.recorded
    for step in lesson.example.steps:
        assert any(look for _line, look in step.looked_at(step.shown.output)), step.look


@pytest.mark.slow
@pytest.mark.kubectl
@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.slug)
def test_each_example_is_still_true(lesson):
    assert recording.prove(lesson).problems == []


def test_an_example_is_read_with_its_recording():
    example = read()
    assert example.recorded
    assert [step.shown.output for step in example.steps] == ["one\n", "two\nthree\n"]
    assert example.steps[1].looked_at("two\nno\nthree\n") == [("two", True), ("no", False), ("three", True)]


@pytest.mark.parametrize(
    ("line", "stands"), [("", False), ("stands: true\n", True), ("stands: false\n", False)]
)
def test_time_may_stand(line, stands):
    assert read(line + TEXT).stands is stands


@pytest.mark.kubectl
@pytest.mark.parametrize(("line", "seconds"), [("stands: true\n", {12, 13})])
def test_where_time_stands_a_command_takes_none(line, seconds, tmp_path):
    text = line + TEXT.replace("echo one", "kubectl get nodes; kubectl get nodes; echo one")
    lesson = replace(LESSONS[0], folder=".", example=examples.read(text, "example.yaml", "", IN_ALL))
    assert recording.record(lesson, tmp_path) == []
    shown = json.loads((tmp_path / "example.json").read_text())["steps"]
    assert {int(step["time"][17:19]) for step in shown} <= seconds


def test_a_recording_of_other_steps_is_none():
    assert not read(of="something else").recorded
    assert not examples.read(TEXT, "example.yaml", "", IN_ALL).recorded


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        pytest.param("look: one", "look: (", "steps[0].look: expected a regular expression", id="no pattern"),
        pytest.param(", look: one", "", "steps[0]: expected the field `look`", id="no look"),
        pytest.param("zh-hans: 一。", "fr: un", "steps[0].says", id="a language is missing"),
    ],
)
def test_what_is_wrong_is_told(old, new, problem):
    with pytest.raises(CatalogError) as told:
        read(TEXT.replace(old, new))
    assert problem in str(told.value)


def test_an_example_may_not_be_long():
    line = TEXT.splitlines()[2] + "\n"
    with pytest.raises(CatalogError, match="expected at most 8, found 9"):
        read(TEXT + line * (examples.MAX_STEPS - 1))


@pytest.mark.kubectl
def test_a_sentence_that_is_not_true_any_more_is_told(tmp_path):
    example = examples.read(TEXT.replace("look: ^t", "look: four"), "example.yaml", "", IN_ALL)
    lesson = replace(LESSONS[0], example=example)
    assert [each.split("\n")[0] for each in recording.record(lesson, tmp_path)] == [
        "no line of the output is one to look at, 'four':"
    ]
    assert list(tmp_path.iterdir()) == [], "nothing that is wrong is kept"
    assert recording.prove(lesson).problems[0].startswith("example.json: other steps were recorded")
