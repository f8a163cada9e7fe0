"""Course pages: the map, a lesson, a lab."""

from __future__ import annotations

from typing import Any

from accounts.services import TooManyGuestsError
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.views.decorators.http import require_http_methods, require_safe
from grading.models import Appeal
from grading.reports import text_in
from review import repairs
from review import services as review
from runs import services
from runs.models import Run

from course import completion, example, markdown, progress, search
from course.templatetags.drydock import other_language
from course.text import localized, reader_language
from labs.kit import blocks, catalog, curricula, glossary, questions
from labs.kit.lab import Lab
from labs.kit.words import LANGUAGES

REPLIES_SHOWN = 20
"""Replies of who teaches that are shown at once."""


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What Drydock is, and the course map with the reader's progress."""
    course = catalog.load()
    standing = progress.of_course(request.user, course)
    context = {
        "course": standing,
        "upcoming": standing.next_lesson,
        "following": progress.after_lab(course, standing.done) if standing.done else None,
        "waiting": review.count(request.user),
        "repairs": repairs.waiting(request.user),
        "replies": Appeal.objects.owned_by(request.user).answered().filter(read=None)[:REPLIES_SHOWN],
    }
    return render(request, "course/home.html", context)


@require_safe
def lesson(request: HttpRequest, slug: str) -> HttpResponse:
    """One lesson: its text, its labs, the way on."""
    lessons = progress.of_course(request.user, catalog.load()).lessons
    place = next((i for i, item in enumerate(lessons) if item.lesson.slug == slug), None)
    if place is None:
        raise Http404
    current = lessons[place]
    context = {
        "lesson": current.lesson,
        "standing": current,
        "example": example.shown(current.lesson.example),
        "completion": completion.shown(current.lesson.completion),
        "page": markdown.render(
            localized(current.lesson.body),
            blocks.of(current.lesson),
            [each.id for each in questions.all_of(current.lesson.body[LANGUAGES[0]])],
            glossary.load(),
        ),
        "previous": lessons[place - 1] if place else None,
        "following": lessons[place + 1] if place + 1 < len(lessons) else None,
    }
    return render(request, "course/lesson.html", context)


@require_safe
def glossary_page(request: HttpRequest) -> HttpResponse:
    """The words of the course in the order of the reader's language, each with the other language's word."""
    course = catalog.load()
    rows = [
        {
            "id": term.id,
            "name": localized(term.name),
            "other": term.name[other_language()["code"]],
            "text": localized(term.text),
            "lesson": course.lesson(term.lesson),
        }
        for term in glossary.load()
    ]
    rows.sort(key=lambda row: str(row["name"]).casefold())
    return render(request, "course/glossary.html", {"rows": rows, "other": other_language()["code"]})


@require_safe
def exams(request: HttpRequest) -> HttpResponse:
    """What exams ask for, and which lessons teach it."""
    lessons = {lesson.slug: lesson for lesson in catalog.load().lessons}
    return render(request, "course/curricula.html", {"exams": curricula.load(), "lessons": lessons})


@require_safe
def search_page(request: HttpRequest) -> HttpResponse:
    """What the course says on `?q=`: lessons, labs, words of the glossary."""
    query = request.GET.get("q", "")[: search.QUERY].strip()
    context = {"query": query, "hits": search.index(reader_language()).find(query), "longest": search.QUERY}
    return render(request, "course/search.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def lab(request: HttpRequest, slug: str) -> HttpResponse:
    """What a lab asks for; POST starts it (or goes back to the one that is running)."""
    try:
        item = catalog.load().lab(slug)
    except KeyError:
        raise Http404 from None
    if request.method == "POST":
        return _start(request, item)
    return _lab_page(request, item)


def _lab_page(request: HttpRequest, item: Lab, full: str = "") -> HttpResponse:
    """`full`: why it cannot be started as long as the learner's other labs keep what they keep."""
    slug = item.slug
    context = {
        "full": full,
        "others": progress.of_course(request.user, catalog.load()).running if full else [],
        "lab": item,
        "lesson": catalog.load().lesson(item.lesson_slug),
        "standing": progress.of_labs(request.user).get(slug, progress.LabProgress()),
        "steps": [localized(step.title) for step in item.steps],
        "attempts": progress.attempts_of(request.user, slug),
        "replies": _replies(request, slug),
    }
    return render(request, "course/lab.html", context, status=409 if full else 200)


def _replies(request: HttpRequest, slug: str) -> list[dict[str, Any]]:
    """What was written back to the reader about checks of the lab, each with the check's title."""
    found = Appeal.objects.owned_by(request.user).answered().filter(run__lab_slug=slug)[:REPLIES_SHOWN]
    language = reader_language()
    return [
        {"appeal": each, "title": text_in(language, each.result.get("title", each.check_id))}
        for each in found
    ]


def _start(request: HttpRequest, lab: Lab) -> HttpResponse:
    try:
        _make_room(request)
        run = services.start(request, lab, get_language() or "en")
    except services.LimitError as refused:
        return _lab_page(request, lab, str(refused))
    except TooManyGuestsError as refused:
        messages.error(request, str(refused))
        return redirect("account_signup")
    return redirect("runs:workspace", run.pk)


def _make_room(request: HttpRequest) -> None:
    """Stop the lab that the learner chose to give up for this one."""
    chosen = request.POST.get("instead", "")
    for run in Run.objects.owned_by(request.user).live():
        if str(run.pk) == chosen:
            services.stop(run)
