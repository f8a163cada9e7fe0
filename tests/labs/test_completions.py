"""What lessons have their readers complete: read from its file, filled in, judged by what was printed."""

import re
from dataclasses import replace

import pytest

from labs.kit import blocks, catalog, completions, lessons
from labs.kit.located import CatalogError

LESSONS = catalog.load().lessons
IN_ALL = {"type": "object", "required": list(catalog.LANGUAGES)}
TEXT = """title: {en: Two, zh-hans: 二}
asks: {en: How many?, zh-hans: 几个？}
minutes: 1
file: two.txt
manifest: |
  ____ lamps
run: |
  cat two.txt
outcomes:
  - {fill: two, shows: '^two lamps$', right: true, says: {en: Yes., zh-hans: 对。}}
  - {fill: three, shows: lamps, says: {en: No., zh-hans: 不对。}}
"""


def read(text: str = TEXT) -> completions.Completion:
    return completions.read(text, "complete.yaml", IN_ALL)


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.slug)
def test_each_lesson_gives_a_first_thing_to_complete(lesson):
    """Beside the text, or as a guided lab, which shows the way and leaves the last step."""
    assert lesson.completion is not None or "guided" in [lab.type for lab in lesson.labs]


@pytest.mark.parametrize(
    ("output", "number"),
    [("x\ntwo lamps\n", 0), ("three lamps", 1), ("", None)],
    ids=["first", "second", "none"],
)
def test_the_first_that_is_shown_is_what_happened(output, number):
    assert read().happened(output) == number


def test_what_is_filled_in_stands_in_the_gap():
    manifest, commands = blocks.completing(read(), "two")
    assert (manifest.file, manifest.code, manifest.commands) == ("two.txt", "two lamps\n", False)
    assert (commands.script, commands.own) == ("cat two.txt\n", "")
    swapped = TEXT.replace("____ lamps", "two lamps").replace("cat two.txt", "cat ____")
    assert blocks.completing(read(swapped), "two.txt")[1].script == "cat two.txt\n"


@pytest.mark.parametrize("fill", ["", "two\nthree", "\x1b[1m", "x" * (completions.FILL_MAX + 1)])
def test_what_cannot_be_filled_in(fill):
    with pytest.raises(ValueError, match="expected one line of 1 to 200 characters"):
        read().filled(fill)
    assert read().filled("x" * completions.FILL_MAX)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        pytest.param("____ lamps", "lamps", "expected one gap (____), found 0", id="no gap"),
        pytest.param("cat two.txt", "cat ____", "expected one gap (____), found 2", id="two gaps"),
        pytest.param("file: two.txt\n", "", "expected `file` and `manifest` together", id="no file"),
        pytest.param(", right: true", "", "outcomes: expected one that is right", id="none right"),
        pytest.param(
            "shows: lamps", "shows: (", "outcomes[1].shows: expected a regular expression", id="pattern"
        ),
        pytest.param("zh-hans: 不对。", "fr: Non.", "outcomes[1].says", id="a language is missing"),
        pytest.param("minutes: 1", "minuts: 1", "minutes", id="a slip"),
    ],
)
def test_what_is_wrong_is_told(old, new, problem):
    with pytest.raises(CatalogError, match=re.escape(problem)):
        read(TEXT.replace(old, new))


@pytest.mark.kubectl
@pytest.mark.parametrize(
    ("old", "new", "problems"),
    [
        pytest.param("", "", [], id="true"),
        pytest.param(
            "fill: three", "fill: two", ["filled in with 'two': expected outcome 2"], id="another came of it"
        ),
        pytest.param(
            "shows: lamps", "shows: four", ["filled in with 'three': expected outcome 2"], id="none came"
        ),
        pytest.param("cat two.txt", "cat two.txt; false", ["filled in with 'two'"], id="the right one fails"),
    ],
)
def test_the_sweep_fills_in_each_answer(old, new, problems):
    body = dict.fromkeys(catalog.LANGUAGES, "No block.\n")
    lesson = replace(LESSONS[0], body=body, completion=read(TEXT.replace(old, new, 1)))
    found = lessons.prove(lesson).problems
    assert len(found) == len(problems)
    assert all(told in each for told, each in zip(problems, found, strict=True))
