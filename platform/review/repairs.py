"""Small repairs come back as questions do: broken in a variant of their own, and mended they count."""

from __future__ import annotations

from datetime import timedelta

from accounts.models import User
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.utils import timezone
from grading.models import Attempt

from labs.kit import catalog
from labs.kit.lab import Lab
from review.models import DAYS, Card

SMALL = 20
"""Minutes that a repair takes at most that comes back."""
PREFIX = "lab:"
"""Begins what the card of a repair is known by; the lab's slug follows."""
SHOWN = 10
"""Waiting repairs that are told at once."""


def small() -> dict[str, Lab]:
    """The repairs of the course that come back, by what their cards are known by."""
    labs = catalog.load().labs
    return {PREFIX + lab.slug: lab for lab in labs if lab.type == "repair" and lab.minutes <= SMALL}


def waiting(user: User | AnonymousUser) -> list[Lab]:
    """Those that are to be mended again now, at most SHOWN, what has waited longest first."""
    known = small()
    cards = Card.objects.owned_by(user).filter(question__in=list(known)).waiting(timezone.now())[:SHOWN]
    return [known[card.question] for card in cards]


def passed(attempt: Attempt) -> None:
    """A lab was passed: a small repair begins to come back, and in a fresh variant goes a stage on."""
    ident = PREFIX + attempt.lab_slug
    if ident not in small():
        return
    with transaction.atomic():
        # The user's row is the lock: two passes at once make one card.
        User.objects.select_for_update().get(pk=attempt.user_id)
        card = Card.objects.filter(user_id=attempt.user_id, question=ident).first()
        if card is None:
            due = timezone.now() + timedelta(days=DAYS[0])
            Card.objects.create(user_id=attempt.user_id, question=ident, due=due, right=1)
        elif _is_fresh(attempt):
            card.answered(right=True)
            card.save()


def _is_fresh(attempt: Attempt) -> bool:
    """Whether the variant was not passed before."""
    before = Attempt.objects.filter(user_id=attempt.user_id, lab_slug=attempt.lab_slug, passed=True)
    seeds = before.exclude(pk=attempt.pk).values_list("run__seed", "submission__seed")
    known = {seed for pair in seeds for seed in pair}
    return _seed(attempt) not in known


def _seed(attempt: Attempt) -> int | None:
    of = attempt.run if attempt.run is not None else attempt.submission
    return of.seed if of is not None else None
