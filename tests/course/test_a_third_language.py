"""A language more is one file more: `lab.de.md` beside the others, and that lab is there in German."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from config import languages
from django.test import Client
from runs.models import Run

from labs.kit import catalog, runner, sweep, words
from labs.kit.catalog import CatalogError, Course

SLUG = "the-mirror-image"
FOLDER = f"foundations/pods/labs/{SLUG}"
Browser = Callable[..., Client]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A copy of the course in which one lab has one file more."""
    root = tmp_path / "labs"
    shutil.copytree(catalog.ROOT, root, ignore=shutil.ignore_patterns("kit", "__pycache__", "__init__.py"))
    english = (root / FOLDER / "lab.en.md").read_text()
    page = catalog.load().lab(SLUG)
    german = english.replace(page.title["en"], "Das Spiegelbild").replace(
        page.steps[0].title["en"], "Nachsehen, was fehlt"
    )
    first = page.checks[0]
    german = german.replace(first.title["en"], "Alles vorhergesagt").replace(
        "The keys are uid", "Die Schlüssel sind uid"
    )
    (root / FOLDER / "lab.de.md").write_text(german)
    return root


@pytest.fixture
def course(root: Path, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Course:
    """That course, served."""
    course = catalog.read(root)
    monkeypatch.setattr(catalog, "load", lambda: course)
    monkeypatch.setattr(languages, "COURSE", root)
    languages.all_of_them.cache_clear()
    settings.LANGUAGES = languages.all_of_them()
    yield course
    monkeypatch.undo()
    languages.all_of_them.cache_clear()


def test_the_lab_is_whole_and_lint_accepts_it(course: Course) -> None:
    lab = course.lab(SLUG)
    assert lab.languages == ("en", "zh-hans", "de")
    assert sweep.lint(lab).problems == []
    assert (lab.title["de"], lab.checks[0].title["de"]) == ("Das Spiegelbild", "Alles vorhergesagt")
    assert all(each.languages == ("en", "zh-hans") for each in course.labs if each.slug != SLUG)


def test_what_checks_say_is_in_german_as_far_as_it_is_written(course: Course) -> None:
    lab = course.lab(SLUG)
    told = runner.grade(lab, runner.boot(lab)).as_dict("de")["checks"][0]
    english = runner.grade(lab, runner.boot(lab)).as_dict("en")["checks"][0]
    assert told["title"] == "Alles vorhergesagt"
    assert told["hint"].startswith("Die Schlüssel sind uid")
    assert told["message"] == english["message"] != ""


def test_the_library_may_have_a_part_of_a_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(words.TEXTS, "de", {"absent": "kein {kind} namens `{name}`"})
    words._said.cache_clear()
    assert words.say("absent", kind="Pod", name="web")["de"] == "kein Pod namens `web`"
    assert words.of(words.say("nothing"), "de") == words.say("nothing")["en"]
    words._said.cache_clear()


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        pytest.param(
            "lab.DE.md", "", "", "expected a language in lower case, such as `de`, found 'DE'", id="name"
        ),
        pytest.param("lab.de.md", "{#", "{#x-", "expected the steps of lab.yaml", id="steps"),
        pytest.param("lab.de.md", "checks:\n", "cheques:\n", "the field `checks`", id="fields"),
    ],
)
def test_what_is_wrong_in_it_is_told(root: Path, name: str, old: str, new: str, told: str) -> None:
    text = (root / FOLDER / "lab.de.md").read_text()
    (root / FOLDER / name).write_text(text.replace(old, new) if old else text)
    with pytest.raises(CatalogError, match=told):
        catalog.read(root)


def test_lint_compares_its_code(root: Path) -> None:
    with (root / FOLDER / "lab.de.md").open("a") as page:
        page.write("\n```sh\nkubectl version\n```\n")
    found = sweep.lint(catalog.read(root).lab(SLUG)).problems
    assert found == ["instructions: the languages differ in their code blocks"]


def test_who_chooses_it_reads_it(course: Course, browser: Browser, run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(lab_slug=SLUG)
    client = browser("learner")
    page = client.get(f"/labs/{SLUG}/").content.decode()
    assert 'value="de"' in page
    assert ">Deutsch</button>" in page
    assert client.post("/i18n/setlang/", {"language": "de", "next": f"/labs/{SLUG}/"}).status_code == 302
    page = client.get(f"/labs/{SLUG}/").content.decode()
    assert '<html lang="de"' in page
    assert all(text in page for text in ("Das Spiegelbild", "Nachsehen, was fehlt", "Alles vorhergesagt"))
    assert ">English</button>" in page
    assert ">中文</button>" in page
    workspace = client.get(f"/runs/{run.pk}/").content.decode()
    assert "Das Spiegelbild" in workspace
    assert "Nachsehen, was fehlt" in workspace
    for other in (
        "/",
        "/lessons/pods/",
        "/labs/declare-a-deployment/",
        "/glossary/",
        "/search/?q=Pod",
        "/exams/",
    ):
        answer = client.get(other)
        assert answer.status_code == 200, other
    english = course.lab("declare-a-deployment").title["en"]
    assert english in client.get("/labs/declare-a-deployment/").content.decode()


@pytest.mark.parametrize(
    ("asked", "got"),
    [("de-DE,de;q=0.9", "en"), ("de,zh-CN;q=0.8,en;q=0.5", "zh-hans"), ("en", "en"), ("", "en")],
)
def test_a_browser_that_asks_for_it_finds_the_site_in_one_of_its_own(
    course: Course, db: None, asked: str, got: str
) -> None:
    page = Client(headers={"accept": "text/html", "accept-language": asked}).get("/").content.decode()
    assert f'<html lang="{got}"' in page
    assert 'value="de"' not in page
