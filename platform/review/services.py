"""What can be done with the questions that come back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from accounts.models import User
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.utils import timezone

from labs.kit import catalog, questions
from labs.kit.catalog import Course, Lesson
from labs.kit.questions import Question
from labs.kit.words import LANGUAGES
from review.models import DAYS, Card

SHOWN = 50
"""Waiting questions that are told at once."""


@dataclass(frozen=True)
class Asked:
    """A question with its lesson, in every language."""

    id: str
    lesson: Lesson
    texts: dict[str, Question]


@lru_cache(maxsize=4)
def _all(course: Course) -> dict[str, Asked]:
    found = {}
    for lesson in course.lessons:
        by_language = [questions.all_of(lesson.body[language]) for language in LANGUAGES]
        for texts in zip(*by_language, strict=True):
            known = dict(zip(LANGUAGES, texts, strict=True))
            ident = known[LANGUAGES[0]].id
            found[ident] = Asked(ident, lesson, known)
    return found


def question(ident: str) -> Asked | None:
    """The question of the course with this id, if there is one."""
    return _all(catalog.load()).get(ident)


def waiting(user: User | AnonymousUser) -> list[Asked]:
    """The questions that are to be asked now, at most SHOWN, what has waited longest first."""
    known = _all(catalog.load())
    cards = Card.objects.owned_by(user).filter(question__in=list(known)).waiting(timezone.now())[:SHOWN]
    return [known[card.question] for card in cards]


def count(user: User | AnonymousUser) -> int:
    """How many questions wait."""
    known = list(_all(catalog.load()))
    return Card.objects.owned_by(user).filter(question__in=known).waiting(timezone.now()).count()


def next_due(user: User | AnonymousUser) -> datetime | None:
    """When the next question comes that does not wait yet."""
    known = list(_all(catalog.load()))
    later = Card.objects.owned_by(user).filter(question__in=known, due__gt=timezone.now()).order_by("due")
    return later.values_list("due", flat=True).first()


def answer(user: User, asked: Asked, number: int) -> Card:
    """Note an answer. The first one, in the lesson, puts the question into the queue. Raises IndexError."""
    right = asked.texts[LANGUAGES[0]].answers[number].right
    with transaction.atomic():
        # The user's row is the lock: two answers at once make one card.
        User.objects.select_for_update().get(pk=user.pk)
        card = Card.objects.owned_by(user).filter(question=asked.id).first()
        if card is None:
            due = timezone.now() + timedelta(days=DAYS[0])
            return Card.objects.create(user=user, question=asked.id, due=due, right=right, wrong=not right)
        card.answered(right)
        card.save()
    return card
