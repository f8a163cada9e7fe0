"""The gradebook: learners × labs, each with the best score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from accounts.models import Classroom, User
from django.db.models import Exists, OuterRef, Q, QuerySet

from grading.models import Attempt


@dataclass(frozen=True, slots=True)
class Row:
    """One learner."""

    user: User
    cells: list[dict[str, Any] | None]
    score: int
    max_score: int


def learners(teacher: User, query: str = "", classroom: Classroom | None = None) -> QuerySet[User]:
    """Who of this teacher's classes, or of one of them, has an attempt, by name; `query` filters by name or address.

    Teachers are none.
    """
    users = _tried(teacher).filter(is_guest=False).order_by("username")
    if classroom is not None:
        users = users.filter(pk__in=classroom.members.values("pk").order_by())
    if query:
        users = users.filter(
            Q(username__icontains=query)
            | Q(email__icontains=query)
            | Q(first_name__icontains=query)
            | Q(last_name__icontains=query)
        )
    return users


def guests(teacher: User) -> QuerySet[User]:
    """Guests with an attempt, the latest comer first; they are in no class."""
    return _tried(teacher).filter(is_guest=True).order_by("-date_joined")


def _tried(teacher: User) -> QuerySet[User]:
    tried = Exists(Attempt.objects.filter(user=OuterRef("pk")))
    return User.objects.taught_by(teacher).filter(tried, is_staff=False, is_instructor=False)


def rows_of(users: list[User], labs: list[Any]) -> list[Row]:
    """The rows of these learners; one query for all."""
    best = {
        (row["user_id"], row["lab_slug"]): {**row, "passed": bool(row["passed"])}
        for row in Attempt.objects.filter(user__in=users).best()
    }
    total = sum(check.points for lab in labs for check in lab.checks)
    rows = []
    for user in users:
        cells = [best.get((user.pk, lab.slug)) for lab in labs]
        rows.append(Row(user, cells, sum(cell["score"] for cell in cells if cell), total))
    return rows
