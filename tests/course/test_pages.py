"""Every page, in both languages: it renders, says what it should, and keeps to the security policy."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest
from accounts.models import User
from course import progress
from django.test import Client
from django.utils.html import escape
from grading.models import Attempt
from runs.models import Run

from labs.kit import catalog

Browser = Callable[..., Client]

# (id, who looks, address, words in English, words in Chinese)
PAGES = [
    ("home", "", "/", "Start the first lesson", "开始第一课"),
    ("home of a guest", "guest", "/", "You are here as a guest", "你正以访客身份使用"),
    ("lesson", "", "/lessons/pods/", "On this page", "本页内容"),
    ("lab", "", "/labs/declare-a-deployment/", "What will be checked", "检查项目"),
    ("exams", "", "/exams/", "The course and the exams", "课程与考试"),
    ("glossary", "", "/glossary/", "The words of the course", "课程中的术语"),
    ("search", "", "/search/?q=Pod", "places found", "找到"),
    ("review", "learner", "/review/", "Nothing waits yet", "还没有等着的题"),
    ("login", "", "/accounts/login/", "Sign In", "登录"),
    ("signup", "", "/accounts/signup/", "Sign Up", "注册"),
    ("password", "learner", "/accounts/password/change/", "Change Password", "修改密码"),
    ("tokens", "learner", "/accounts/tokens/", "Make a token", "创建令牌"),
    ("grades", "instructor", "/grades/", "Nobody has been graded yet", "还没有成绩"),
    ("workspace", "learner", "/runs/{run}/", "Check my work", "集群地图"),
]


class Inline(HTMLParser):
    """Collects what a policy without 'unsafe-inline' would block, and ids used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        if tag == "style" or "style" in names:
            self.found.append(self.get_starttag_text() or tag)
        if tag == "script" and "src" not in names and names.get("type") != "application/json":
            self.found.append(self.get_starttag_text() or tag)
        self.found += [f"{tag} {name}" for name in names if name.startswith("on")]
        if names.get("id"):
            self.ids.append(str(names["id"]))


def inspect(html: str) -> Inline:
    parser = Inline()
    parser.feed(html)
    return parser


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize(
    ("who", "address", "en", "zh"), [row[1:] for row in PAGES], ids=[row[0] for row in PAGES]
)
def test_page(browser: Browser, run: Run, who: str, address: str, en: str, zh: str, language: str) -> None:
    answer = browser(who, language).get(address.format(run=run.pk))
    html = answer.content.decode()
    assert answer.status_code == 200
    assert f'<html lang="{language}"' in html
    assert (en if language == "en" else zh) in html
    assert "style-src 'self'" in answer["Content-Security-Policy"]
    assert "unsafe" not in answer["Content-Security-Policy"]
    page = inspect(html)
    assert page.found == []
    assert len(page.ids) == len(set(page.ids))


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_lesson_and_lab(browser: Browser, language: str) -> None:
    client = browser("", language)
    course = catalog.load()
    for lesson in course.lessons:
        html = client.get(f"/lessons/{lesson.slug}/").content.decode()
        assert escape(lesson.title[language]) in html, lesson.slug
        assert inspect(html).found == [], lesson.slug
        assert "figure-place" not in html, lesson.slug
    for lab in course.labs:
        html = client.get(f"/labs/{lab.slug}/").content.decode()
        assert escape(lab.summary[language]) in html, lab.slug


ERRORS = [
    ("lesson", "", "/lessons/nothing/", 404, "Nothing is moored here"),
    ("lab", "", "/labs/nothing/", 404, "Nothing is moored here"),
    ("a stranger's run", "", "/runs/{run}/", 404, "Nothing is moored here"),
    ("another's run", "instructor", "/runs/{run}/", 404, "Nothing is moored here"),
    ("grades", "learner", "/grades/", 403, "This berth is not yours"),
]


@pytest.mark.parametrize(
    ("who", "address", "status", "words"), [e[1:] for e in ERRORS], ids=[e[0] for e in ERRORS]
)
def test_refusals(browser: Browser, run: Run, who: str, address: str, status: int, words: str) -> None:
    answer = browser(who).get(address.format(run=run.pk))
    assert (answer.status_code, words in answer.content.decode()) == (status, True)


def test_forged_form(people: dict[str, User], lab: Any) -> None:
    client = Client(enforce_csrf_checks=True, headers={"accept": "text/html"})
    answer = client.post(f"/labs/{lab.slug}/")
    assert (answer.status_code, "This form has gone stale" in answer.content.decode()) == (403, True)


def test_start_makes_a_guest_with_a_run(browser: Browser, lab: Any) -> None:
    client = browser()
    answer = client.post(f"/labs/{lab.slug}/")
    run = Run.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/runs/{run.pk}/")
    assert (run.user.is_guest, run.lab_slug) == (True, lab.slug)
    assert client.post(f"/labs/{lab.slug}/")["Location"] == f"/runs/{run.pk}/"


def test_one_lab_too_many(browser: Browser, settings: Any) -> None:
    settings.RUN_KEPT_MB_GUEST = 1
    client = browser()
    first, second = catalog.load().labs[:2]
    client.post(f"/labs/{first.slug}/")
    Run.objects.update(kept_bytes=1_000_000)
    refused = client.post(f"/labs/{second.slug}/")
    run = Run.objects.get()
    html = refused.content.decode()
    assert refused.status_code == 409
    assert "Your labs keep 1 MB" in html
    assert f'value="{run.pk}"' in html
    assert client.post(f"/labs/{second.slug}/", {"instead": "nonsense"}).status_code == 409
    started = client.post(f"/labs/{second.slug}/", {"instead": str(run.pk)})
    assert (started.status_code, Run.objects.live().get().lab_slug) == (302, second.slug)


def test_nobody_gives_up_another_s_lab(browser: Browser, run: Run) -> None:
    client = browser()
    client.post(f"/labs/{catalog.load().labs[1].slug}/", {"instead": str(run.pk)})
    run.refresh_from_db()
    assert run.is_live


def test_whoever_comes_back_goes_on(browser: Browser, people: dict[str, User], lab: Any, run: Run) -> None:
    assert "Learn Kubernetes by running it" in browser().get("/").content.decode()
    html = browser("learner").get("/").content.decode()
    main = html.index("button-main")
    assert html.count("button-main") == 1, "one primary action"
    assert f'href="/runs/{run.pk}/"' in html[main : main + 200]
    kept = Attempt.objects.create(
        user=people["learner"], lab_slug=lab.slug, max_score=7, score=7, passed=True
    )
    html = browser("learner").get("/").content.decode()
    following = progress.after_lab(catalog.load(), catalog.load().lab(lab.slug))
    assert following is not None
    assert f'href="{following.url}"' in html[html.index("button-main") :][:200], (
        "what is passed is not gone on with"
    )
    kept.delete()
    run.move("stopped")
    assert "Learn Kubernetes by running it" in browser("learner").get("/").content.decode()
    Attempt.objects.create(user=people["learner"], lab_slug=lab.slug, max_score=7, score=1)
    html = browser("learner").get("/").content.decode()
    assert f"/lessons/{catalog.load().lessons[0].slug}/" in html[html.index("button-main") :][:200]


def test_progress(browser: Browser, people: dict[str, User], lab: Any, run: Run) -> None:
    client = browser("learner")
    assert "In progress" in client.get("/").content.decode()
    values = {"user": people["learner"], "lab_slug": lab.slug, "max_score": 7}
    Attempt.objects.create(score=1, **values)
    Attempt.objects.create(score=7, passed=True, **values)
    html = client.get("/").content.decode()
    assert f"1 of {len(catalog.load().labs)} labs passed" in html
    assert "7/7" in html
    page = client.get(f"/labs/{lab.slug}/").content.decode()
    assert f"/runs/{run.pk}/" in page
    assert page.count("badge-passed") == 1


def test_gradebook(browser: Browser, people: dict[str, User], lab: Any) -> None:
    Attempt.objects.create(user=people["learner"], lab_slug=lab.slug, score=5, max_score=7)
    html = browser("instructor").get("/grades/").content.decode()
    assert "5/7" in html
    assert "1 attempt" in html
    assert "1 attempts" not in html
    assert "grades.csv" in html


def test_theme_comes_with_the_first_byte(browser: Browser) -> None:
    client = browser()
    client.cookies["dd_theme"] = "dark"
    assert '<html lang="en" data-theme="dark"' in client.get("/").content.decode()
    client.cookies["dd_theme"] = '"><script>'
    assert '<html lang="en">' in client.get("/").content.decode()
