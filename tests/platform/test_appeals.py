"""What a learner says against a check and who sees it; which hints were read."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from grading import appeals, hints, standing
from grading.models import Appeal, HintRead
from runs import services
from runs.host.hosted import HostedRun
from runs.models import JournalEntry, Run

pytestmark = pytest.mark.django_db


def result(check: str, state: str) -> dict[str, Any]:
    message = {"en": "Expected <b>a</b>.", "zh-hans": "期望 a。"}
    return {"id": check, "title": {"en": "One", "zh-hans": "一"}, "state": state, "score": 0, "max_score": 1,
            "message": message, "hint": {}}  # fmt: skip


@pytest.fixture
def failing(run: Run) -> Run:
    """A run with a check that fails, one that passes, one that could not be asked."""
    checks = [result("one", "failed"), result("two", "passed"), result("three", "error")]
    report = {"score": 1, "max_score": 3, "passed": False, "checks": checks}
    standing.record(run.pk, run.epoch, report, True)
    return run


def post(client: Client, run: Run, what: str, body: dict[str, Any]) -> Any:
    return client.post(f"/runs/{run.pk}/{what}/", body, content_type="application/json")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param({"check": "one", "note": "It does."}, 200, id="it fails"),
        pytest.param({"check": "three", "note": ""}, 200, id="it could not be asked, nothing is added"),
        pytest.param({"check": "two", "note": "x"}, 409, id="it passes"),
        pytest.param({"check": "none", "note": "x"}, 409, id="there is none"),
        pytest.param({"check": "one", "note": "x" * appeals.NOTE}, 200, id="as long as it may be"),
        pytest.param({"check": "one", "note": "x" * (appeals.NOTE + 1)}, 400, id="too long"),
        pytest.param({"check": "one", "note": "a\0"}, 400, id="no text"),
        pytest.param({"check": "one"}, 400, id="no note"),
        pytest.param({"check": ["one"], "note": "x"}, 400, id="no name"),
    ],
)
def test_what_may_be_sent(client_of: Any, failing: Run, body: dict[str, Any], status: int) -> None:
    assert post(client_of("owner"), failing, "appeal", body).status_code == status
    assert Appeal.objects.count() == (status == 200)


def test_it_reaches_who_teaches_with_the_journal(client_of: Any, failing: Run) -> None:
    payload = '{"method": "POST", "path": "/api/v1/pods", "query": []}'
    JournalEntry.objects.create(run=failing, epoch=1, seq=1, at_us=0, kind="request", payload=payload)
    post(client_of("owner"), failing, "appeal", {"check": "one", "note": "It <i>does</i>."})
    services.reset(failing)
    (found,) = Appeal.objects.all()
    teacher = client_of("instructor")
    book = teacher.get("/grades/").content.decode()
    assert f"/grades/appeals/{found.pk}/" in book
    assert "It &lt;i&gt;does&lt;/i&gt;." in book
    page = teacher.get(f"/grades/appeals/{found.pk}/").content.decode()
    for text in (
        "It &lt;i&gt;does",
        "Expected &lt;b&gt;a",
        "POST /api/v1/pods",
        f"/grades/runs/{failing.pk}/",
    ):
        assert text in page
    assert teacher.post(f"/grades/appeals/{found.pk}/").status_code == 302
    assert f"/grades/appeals/{found.pk}/" not in teacher.get("/grades/").content.decode()
    assert appeals.sent_of(failing) == {"one": {"state": "settled", "reply": ""}}
    assert "Settled" in teacher.get(f"/grades/appeals/{found.pk}/").content.decode()


def test_a_second_word_takes_the_first_ones_place(client_of: Any, failing: Run) -> None:
    for note in ("first", "second"):
        post(client_of("owner"), failing, "appeal", {"check": "one", "note": note})
        (found,) = Appeal.objects.all()
        assert (found.note, found.settled) == (note, None)
        appeals.settle(found)


def test_the_reply_reaches_who_asked(client_of: Any, failing: Run) -> None:
    post(client_of("owner"), failing, "appeal", {"check": "one", "note": "It does."})
    (found,) = Appeal.objects.all()
    owner, teacher, other = (client_of(role) for role in ("owner", "instructor", "other"))
    lab, home, page = f"/labs/{failing.lab_slug}/", "/", f"/grades/appeals/{found.pk}/"
    assert "replies-title" not in owner.get(lab).content.decode()
    for bad in ("x" * (appeals.NOTE + 1), "a\0"):
        assert teacher.post(page, {"reply": bad}).status_code == 400
        found.refresh_from_db()
        assert (found.settled, found.reply) == (None, "")
    assert teacher.post(page, {"reply": "You are <b>right</b>."}).status_code == 302
    assert "replied" in owner.get(home).content.decode()
    assert "You are &lt;b&gt;right&lt;/b&gt;." in owner.get(lab).content.decode()
    assert "replies-title" not in other.get(lab).content.decode(), "it is nobody else's"
    told = owner.get("/api/v1/appeals/").json()
    assert [(each["check_id"], each["reply"], each["read"]) for each in told] == [
        ("one", "You are <b>right</b>.", None)
    ]
    assert other.get("/api/v1/appeals/").json() == []
    for reader, status in ((other, 404), (teacher, 404), (owner, 302)):
        assert reader.post(f"{page}read/").status_code == status
    found.refresh_from_db()
    assert found.read is not None
    assert "replied" not in owner.get(home).content.decode()
    assert "You are" in owner.get(lab).content.decode(), "it stays"
    assert "has read your reply" in teacher.get(page).content.decode()
    appeals.settle(found, "Once more.")
    assert owner.post(f"/api/v1/appeals/{found.pk}/read/").json()["read"] is not None
    post(owner, failing, "appeal", {"check": "one", "note": "Again."})
    found.refresh_from_db()
    assert (found.settled, found.reply, found.read) == (None, "", None), "a new word waits for a new reply"


def test_only_so_many_replies_are_shown_at_once(
    client_of: Any, failing: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("course.views.REPLIES_SHOWN", 1)
    for check in ("one", "three"):
        post(client_of("owner"), failing, "appeal", {"check": check, "note": "It does."})
    for found in Appeal.objects.all():
        appeals.settle(found, f"A word on {found.check_id}.")
    pages = [client_of("owner").get(path).content.decode() for path in (f"/labs/{failing.lab_slug}/", "/")]
    assert pages[0].count("A word on") == 1
    assert pages[1].count("replied") == 1


def test_the_page_says_how_it_stands(client_of: Any, failing: Run) -> None:
    post(client_of("owner"), failing, "appeal", {"check": "one", "note": ""})
    page = client_of("owner").get(f"/runs/{failing.pk}/").content.decode()
    assert (
        '<script id="appealed" type="application/json">{"one": {"state": "sent", "reply": ""}}</script>'
        in page
    )


def test_who_teaches_sees_how_far_hints_were_read(client_of: Any, run: Run, lab: Any) -> None:
    first, second = lab.checks[0], lab.checks[1]
    for check, number in ((first, 1), (first, 2), (first, 1), (second, 1)):
        appeals.note_hint(run, check.id, number)
    assert HintRead.objects.count() == 3
    assert appeals.hints_of(run) == {first.id: 2, second.id: 1}
    page = client_of("instructor").get(f"/grades/runs/{run.pk}/").content.decode()
    assert f"{first.title['en']}: 2" in page


@pytest.fixture
def hinted(run: Run, lab: Any) -> Any:
    """A check that fails; another passes."""
    first, second = lab.checks[:2]
    checks = [result(second.id, "passed"), {**result(first.id, "failed"), "hints": [dict(first.hint)]}]
    standing.record(run.pk, run.epoch, {"score": 1, "max_score": 2, "passed": False, "checks": checks}, True)
    return first


def test_hints_come_one_at_a_time_and_the_last_after_a_pause(
    run: Run, hinted: Any, client_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now)
    client, path = client_of("owner"), f"/api/v1/runs/{run.pk}/hint/"
    first, second, third = hinted.hints

    def ask(check: str | None = None) -> Any:
        return client.post(path, {} if check is None else {"check": check}, content_type="application/json")

    expected = {"check": hinted.id, "title": hinted.title["en"], "hint": first["en"], "wait": 0}
    assert ask().json() == expected
    assert (told := ask(hinted.id).json()) == {**expected, "hint": second["en"], "wait": told["wait"]}
    assert told["wait"] == 31
    refused = ask()
    assert (refused.status_code, "in 31 seconds" in refused.content.decode()) == (400, True)
    assert appeals.hints_of(run) == {hinted.id: 2}, "what was not given is not noted"
    now += hints.PAUSE
    assert hints.give(run.pk, "", "zh-hans")["hint"] == third["zh-hans"]
    assert ask().json() == {**expected, "hint": third["en"], "wait": None}, "the last one again"
    assert appeals.hints_of(run) == {hinted.id: 3}


def test_the_page_asks_for_hints_one_at_a_time(
    run: Run, hinted: Any, client_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now)
    owner = client_of("owner")

    def ask(after: Any) -> Any:
        return post(owner, run, "hint", {"check": hinted.id, "after": after})

    texts = [hint["en"] for hint in hinted.hints]
    assert not any(text in owner.get(f"/runs/{run.pk}/").content.decode() for text in texts)
    assert ask(2).json()["hint"] == texts[0], "none is leapt over"
    assert ask(0).json() == {**ask(0).json(), "hint": texts[0], "wait": 0}, "what was read is told again"
    assert ask(1).json() == {**ask(1).json(), "hint": texts[1], "wait": 31}
    refused = ask(2)
    assert (refused.status_code, "in 31 seconds" in refused.json()["error"]) == (409, True)
    now += hints.PAUSE
    assert ask(2).json() == {**ask(2).json(), "hint": texts[2], "wait": None}
    assert ask(1).json()["wait"] == 0, "once it was read, there is no pause any more"
    assert [ask(wrong).status_code for wrong in (-1, 4, "1", None)] == [400] * 4
    assert appeals.hints_of(run) == {hinted.id: 3}


@pytest.mark.parametrize(
    ("state", "check", "problem"),
    [
        ("failed", "none", "No such check fails"),
        ("failed", "one", "There is no hint about this check"),
        ("passed", "", "Every check passes"),
        (None, "", "Nothing has been checked yet"),
    ],
)
def test_where_there_is_no_hint_it_is_said(run: Run, state: str | None, check: str, problem: str) -> None:
    if state is not None:
        report = {"score": 0, "max_score": 1, "passed": False, "checks": [result("one", state)]}
        standing.record(run.pk, run.epoch, report, True)
    with pytest.raises(appeals.HintError, match=problem):
        hints.give(run.pk, check, "en")


def test_the_terminal_gives_hints() -> None:
    asked: list[Any] = []

    class Hosted:
        run_id, language = "r", "en"

        class host:
            @staticmethod
            async def in_thread(fn: Any, *args: Any) -> Any:
                asked.append((fn, *args))
                return hints.Told(check="one", title="One", hint="Look.", wait=0)

    said = asyncio.run(HostedRun.typed_hint(Hosted(), {"check": "one"}))  # type: ignore[arg-type]
    assert (said, asked) == ("One: Look.", [(hints.give, "r", "one", "en")])
