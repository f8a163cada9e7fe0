"""The review queue: when questions come back, whose they are, the page and the API."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from accounts.models import User
from accounts.services import merge_guest
from django.test import Client
from django.utils import timezone
from grading.models import Attempt
from review import repairs, services
from review.models import DAYS, Card
from review.services import Asked
from runs.models import Run

from labs.kit import catalog

pytestmark = pytest.mark.django_db

ASKED = list(services._all(catalog.load()).values())


class Now:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.at = timezone.now()

    def __call__(self) -> datetime:
        return self.at

    def after(self, days: float) -> None:
        self.at += timedelta(days=days)


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> Now:
    clock = Now()
    monkeypatch.setattr(timezone, "now", clock)
    return clock


@pytest.fixture
def owner(people: dict[str, User]) -> User:
    return people["owner"]


def right_of(asked: Asked) -> int:
    return next(n for n, answer in enumerate(asked.texts["en"].answers) if answer.right)


def wrong_of(asked: Asked) -> int:
    return next(n for n, answer in enumerate(asked.texts["en"].answers) if not answer.right)


def test_each_question_of_the_course_has_an_id_of_its_own() -> None:
    asked = sum(
        body.count("\n::: question") for body in (lesson.body["en"] for lesson in catalog.load().lessons)
    )
    assert len(ASKED) == asked > 60
    for each in ASKED:
        assert len(each.id) <= 16
        assert [a.right for a in each.texts["en"].answers] == [a.right for a in each.texts["zh-hans"].answers]


def test_it_comes_back_after_each_time_and_is_known_at_last(now: Now, owner: User) -> None:
    asked = ASKED[0]
    services.answer(owner, asked, right_of(asked))
    for days in DAYS:
        now.after(days - 0.01)
        assert services.waiting(owner) == []
        assert services.next_due(owner) is not None
        now.after(0.01)
        assert services.waiting(owner) == [asked]
        assert services.count(owner) == 1
        services.answer(owner, asked, right_of(asked))
    now.after(1_000)
    assert services.waiting(owner) == []
    assert services.next_due(owner) is None
    card = Card.objects.get()
    assert (card.due, card.right, card.wrong) == (None, 5, 0)
    services.answer(owner, asked, wrong_of(asked))
    assert Card.objects.get().due is None, "what is known stays known"


def test_what_is_wrong_begins_again(now: Now, owner: User) -> None:
    asked = ASKED[0]
    services.answer(owner, asked, right_of(asked))
    for days in DAYS[:2]:
        now.after(days)
        services.answer(owner, asked, right_of(asked))
    now.after(DAYS[2])
    card = services.answer(owner, asked, wrong_of(asked))
    assert (card.stage, card.due) == (0, now() + timedelta(days=1))
    now.after(1)
    card = services.answer(owner, asked, right_of(asked))
    assert (card.stage, card.due) == (1, now() + timedelta(days=3))


@pytest.mark.parametrize("first", ["right", "wrong"])
def test_before_its_time_nothing_is_proved(now: Now, owner: User, first: str) -> None:
    asked = ASKED[0]
    card = services.answer(owner, asked, right_of(asked) if first == "right" else wrong_of(asked))
    due = card.due
    assert due == now() + timedelta(days=1)
    now.after(0.5)
    for number in (right_of(asked), wrong_of(asked)):
        assert services.answer(owner, asked, number).due == due


def test_what_has_waited_longest_comes_first_and_not_too_many(
    now: Now, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for asked in (ASKED[2], ASKED[0], ASKED[1]):
        services.answer(owner, asked, 0)
        now.after(0.1)
    now.after(1)
    assert services.waiting(owner) == [ASKED[2], ASKED[0], ASKED[1]]
    monkeypatch.setattr(services, "SHOWN", 2)
    assert len(services.waiting(owner)) == 2
    assert services.count(owner) == 3


def test_a_question_that_left_the_course_is_passed_over(now: Now, owner: User) -> None:
    Card.objects.create(user=owner, question="gone", due=now() - timedelta(days=1))
    assert (services.waiting(owner), services.count(owner), services.next_due(owner)) == ([], 0, None)


def test_cards_are_their_owner_s(now: Now, people: dict[str, User]) -> None:
    services.answer(people["owner"], ASKED[0], 0)
    now.after(2)
    for role in ("other", "instructor", "guest"):
        assert services.waiting(people[role]) == []
    from django.contrib.auth.models import AnonymousUser

    assert not Card.objects.owned_by(AnonymousUser()).exists()


def test_a_guest_s_questions_follow_the_guest(now: Now, people: dict[str, User]) -> None:
    guest, owner = people["guest"], people["owner"]
    services.answer(owner, ASKED[0], right_of(ASKED[0]))
    now.after(1)
    services.answer(owner, ASKED[0], right_of(ASKED[0]))
    for asked in ASKED[:2]:
        services.answer(guest, asked, 0)
    merge_guest(guest, owner)
    cards = {card.question: card for card in Card.objects.owned_by(owner)}
    assert set(cards) == {ASKED[0].id, ASKED[1].id}
    assert cards[ASKED[0].id].stage == 1, "the account's own stays"
    assert Card.objects.count() == 2


def test_the_page_asks_and_says_what_is_right(
    now: Now, owner: User, client_of: Callable[[str], Client]
) -> None:
    client, asked = client_of("owner"), ASKED[0]
    assert "Nothing waits yet" in client.get("/review/").text
    services.answer(owner, asked, right_of(asked))
    assert "Nothing waits. The next question comes on" in client.get("/review/").text
    assert "question waits" not in client.get("/").text
    now.after(1)
    assert "1 question waits" in client.get("/").text
    page = client.get("/review/").text
    assert f'value="{asked.id}"' in page
    assert page.count('type="radio"') == len(asked.texts["en"].answers)
    told = client.post("/review/", {"question": asked.id, "answer": wrong_of(asked)}).text
    assert "Not so." in told
    assert "Right is:" in told
    assert Card.objects.get().wrong == 1
    now.after(1)
    told = client.post("/review/", {"question": asked.id, "answer": right_of(asked)}).text
    assert "Right is:" not in told
    assert "It comes back on" in told


@pytest.mark.parametrize(
    "data",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"question": "gone", "answer": "0"}, id="no such question"),
        pytest.param({"question": ASKED[0].id}, id="no answer"),
        pytest.param({"question": ASKED[0].id, "answer": "99"}, id="no such answer"),
        pytest.param({"question": ASKED[0].id, "answer": "-1"}, id="less than none"),
        pytest.param({"question": ASKED[0].id, "answer": "²"}, id="a digit that is no number"),
    ],
)
def test_what_cannot_be_answered_changes_nothing(client_of: Callable[[str], Client], data: Any) -> None:
    assert client_of("owner").post("/review/", data).status_code == 302
    assert not Card.objects.exists()


def test_the_api(now: Now, owner: User, client_of: Callable[[str], Client]) -> None:
    client, asked = client_of("owner"), ASKED[0]

    def post(number: Any, question: str = asked.id) -> Any:
        return client.post(f"/api/v1/review/{question}/", {"answer": number}, "application/json")

    first = post(wrong_of(asked))
    assert first.status_code == 200
    assert (first.json()["right"], first.json()["waiting"]) == (False, 0)
    assert first.json()["why"] == asked.texts["en"].answers[wrong_of(asked)].why
    assert client.get("/api/v1/review/").json() == []
    now.after(1)
    (found,) = client.get("/api/v1/review/").json()
    assert found == {
        "question": asked.id,
        "lesson": asked.lesson.slug,
        "text": asked.texts["en"].text,
        "answers": [answer.text for answer in asked.texts["en"].answers],
    }
    chinese = client.get("/api/v1/review/", headers={"accept-language": "zh-hans"}).json()
    assert chinese[0]["text"] == asked.texts["zh-hans"].text
    assert post(right_of(asked)).json()["right"] is True
    for number, question, status in (
        (99, asked.id, 400),
        (-1, asked.id, 400),
        ("x", asked.id, 400),
        (0, "gone", 404),
    ):
        assert post(number, question).status_code == status


REPAIR = next(iter(repairs.small().values()))


def mend(user: User, seed: int, lab: str = REPAIR.slug, passed: bool = True) -> None:
    run = Run.objects.create(user=user, lab_slug=lab, seed=seed, start="2026-01-01T00:00:00Z")
    Attempt.objects.create(user=user, lab_slug=lab, run=run, score=1, max_score=1, passed=passed)


def test_a_small_repair_comes_back_and_a_fresh_variant_counts(now: Now, owner: User) -> None:
    assert len(repairs.small()) >= 10
    mend(owner, 1, passed=False)
    assert not Card.objects.exists(), "what is not mended does not come back"
    mend(owner, 1)
    for seed, days in enumerate(DAYS, start=2):
        now.after(days - 0.01)
        assert repairs.waiting(owner) == []
        now.after(0.01)
        assert repairs.waiting(owner) == [REPAIR]
        mend(owner, 1)
        assert repairs.waiting(owner) == [REPAIR], "the variant that was mended before proves nothing"
        mend(owner, seed)
        assert repairs.waiting(owner) == []
    card = Card.objects.get()
    assert (card.due, card.right, card.stage) == (None, 5, len(DAYS) - 1)
    assert services.count(owner) == 0, "it is no question"


def test_other_labs_do_not_come_back(now: Now, owner: User) -> None:
    large = [lab for lab in catalog.load().labs if repairs.PREFIX + lab.slug not in repairs.small()]
    for lab in (large[0], next(lab for lab in large if lab.type == "repair")):
        mend(owner, 1, lab.slug)
    assert not Card.objects.exists()


def test_the_page_and_the_api_tell_of_repairs(
    now: Now, owner: User, client_of: Callable[[str], Client]
) -> None:
    mend(owner, 1)
    client = client_of("owner")
    assert "repairs-title" not in client.get("/review/").text
    now.after(1)
    assert f"/labs/{REPAIR.slug}/" in client.get("/review/").text
    assert "1 small repair waits" in client.get("/").text
    assert client.get("/api/v1/review/repairs/").json() == [{"lab": REPAIR.slug, "minutes": REPAIR.minutes}]
    assert client_of("other").get("/api/v1/review/repairs/").json() == []
