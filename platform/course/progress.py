"""What a learner has done: read from attempts and runs, never stored twice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from accounts.models import User
from django.contrib.auth.models import AnonymousUser
from django.urls import reverse
from grading.models import Attempt
from runs.models import Run

from labs.kit.catalog import Chapter, Course, Lesson
from labs.kit.lab import Lab
from labs.kit.words import Text

State = Literal["new", "started", "passed"]


@dataclass(frozen=True)
class LabProgress:
    """One learner's standing in one lab."""

    state: State = "new"
    best: int = 0
    max_score: int = 0
    attempts: int = 0
    run: Run | None = None


@dataclass(frozen=True)
class LessonProgress:
    """A lesson with its labs, each with the learner's standing."""

    lesson: Lesson
    labs: list[tuple[Lab, LabProgress]]
    number: int = 0

    @property
    def state(self) -> State:
        states = {standing.state for _, standing in self.labs}
        if states == {"passed"}:
            return "passed"
        return "new" if states <= {"new"} else "started"


@dataclass(frozen=True)
class CourseProgress:
    """The whole course map for one learner."""

    chapters: list[tuple[Chapter, list[LessonProgress]]] = field(default_factory=list)

    def _labs(self) -> Iterable[tuple[Lab, LabProgress]]:
        for _, lessons in self.chapters:
            for lesson in lessons:
                yield from lesson.labs

    @property
    def lessons(self) -> list[LessonProgress]:
        """All lessons in the order in which they are read."""
        return [lesson for _, group in self.chapters for lesson in group]

    @property
    def total(self) -> int:
        return sum(1 for _ in self._labs())

    @property
    def passed(self) -> int:
        return sum(1 for _, standing in self._labs() if standing.state == "passed")

    @property
    def percent(self) -> int:
        return round(100 * self.passed / self.total) if self.total else 0

    @property
    def begun(self) -> bool:
        return any(standing.state != "new" for _, standing in self._labs())

    @property
    def running(self) -> list[tuple[Lab, Run]]:
        """Labs with a cluster that is up (or sleeping), to go back to."""
        return [(lab, standing.run) for lab, standing in self._labs() if standing.run is not None]

    @property
    def latest(self) -> tuple[Lab, Run] | None:
        """The running lab that was used last, unless it is passed: where a returning learner goes on."""
        found = self._used_last
        return (found[0], found[2]) if found is not None and found[1].state != "passed" else None

    @property
    def done(self) -> Lab | None:
        """The running lab that was used last, when it is passed: he goes on with what follows."""
        found = self._used_last
        return found[0] if found is not None and found[1].state == "passed" else None

    @property
    def _used_last(self) -> tuple[Lab, LabProgress, Run] | None:
        live = [(lab, standing, standing.run) for lab, standing in self._labs() if standing.run is not None]
        return max(live, key=lambda found: found[2].last_active, default=None)

    @property
    def next_lesson(self) -> LessonProgress | None:
        """The first lesson that is not finished (one without labs counts as reading, not as a goal)."""
        for lesson in self.lessons:
            if lesson.labs and lesson.state != "passed":
                return lesson
        return self.lessons[0] if self.lessons else None


def of_labs(user: User | AnonymousUser) -> dict[str, LabProgress]:
    """Standing per lab slug; labs never touched are absent. Two queries, whatever the number of labs."""
    if not isinstance(user, User):
        return {}
    best = {row["lab_slug"]: row for row in Attempt.objects.filter(user=user).best()}
    live = {run.lab_slug: run for run in Run.objects.owned_by(user).live()}
    result: dict[str, LabProgress] = {}
    for slug in best.keys() | live.keys():
        row = best.get(slug, {"score": 0, "max_score": 0, "attempts": 0, "passed": False})
        result[slug] = LabProgress(
            state="passed" if row["passed"] else "started",
            best=row["score"],
            max_score=row["max_score"],
            attempts=row["attempts"],
            run=live.get(slug),
        )
    return result


def of_course(user: User | AnonymousUser, course: Course) -> CourseProgress:
    """The course map: chapters, their lessons, their labs, with this learner's standing."""
    standing = of_labs(user)
    number = 0
    chapters = []
    for chapter in course.chapters:
        lessons = []
        for lesson in chapter.lessons:
            number += 1
            labs = [(lab, standing.get(lab.slug, LabProgress())) for lab in lesson.labs]
            lessons.append(LessonProgress(lesson=lesson, labs=labs, number=number))
        chapters.append((chapter, lessons))
    return CourseProgress(chapters=chapters)


def attempts_of(user: User | AnonymousUser, lab_slug: str, limit: int = 10) -> list[Attempt]:
    """The learner's latest attempts at one lab, newest first."""
    if not isinstance(user, User):
        return []
    return list(Attempt.objects.filter(user=user, lab_slug=lab_slug).order_by("-created")[:limit])


@dataclass(frozen=True)
class Step:
    """Where a learner goes next."""

    title: Text
    url: str


def after_lab(course: Course, lab: Lab) -> Step | None:
    """What follows a lab: the one that it names, the next of its lesson, the next lesson; None at the course's end."""
    if lab.next is not None:
        return Step(course.lab(lab.next).title, reverse("course:lab", args=[lab.next]))
    lesson = course.lesson(lab.lesson_slug)
    labs = [item.slug for item in lesson.labs]
    place = labs.index(lab.slug)
    if place + 1 < len(labs):
        follower = lesson.labs[place + 1]
        return Step(follower.title, reverse("course:lab", args=[follower.slug]))
    lessons = course.lessons
    place = lessons.index(lesson)
    if place + 1 < len(lessons):
        following = lessons[place + 1]
        return Step(following.title, reverse("course:lesson", args=[following.slug]))
    return None
