"""The instructor's gradebook, and what it opens: a learner's attempts at a lab, a learner's run."""

from __future__ import annotations

import csv
import io
import uuid
from typing import Any
from urllib.parse import urlencode

from accounts.models import Classroom, User
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from runs import reading
from runs.access import visible_run
from runs.kubeconfig import kubeconfig_of
from runs.models import Run

from grading import appeals
from grading.gradebook import guests, learners, rows_of
from grading.models import Appeal, Attempt
from grading.reports import localize_checks, text_in
from labs.kit import catalog
from labs.kit.catalog import Lesson

PAGE = 50
FAILED_SHOWN = 20
GUESTS_SHOWN = 50
ATTEMPTS_SHOWN = 50
APPEALS_SHOWN = 50
CSV_LIMIT = 10_000
#: A cell that begins so is a formula to a spreadsheet.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def _instructor(request: HttpRequest) -> User:
    """The caller, who teaches. Raises PermissionDenied."""
    if not isinstance(request.user, User) or not request.user.is_instructor:
        raise PermissionDenied
    return request.user


def _classroom(request: HttpRequest, teacher: User) -> Classroom | None:
    """The class that the address names; None: all of them. Raises Http404 for one that is not the teacher's."""
    text = request.GET.get("class", "")
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise Http404
    return get_object_or_404(Classroom.objects.taught_by(teacher), pk=int(text))


def _lesson(request: HttpRequest) -> Lesson | None:
    """The lesson whose labs the address asks for; None: all. Raises Http404 for one that is not there."""
    slug = request.GET.get("lesson", "")
    if not slug:
        return None
    try:
        return catalog.load().lesson(slug)
    except KeyError:
        raise Http404 from None


def _query(request: HttpRequest) -> str:
    return request.GET.get("q", "").replace("\0", "").strip()[:100]


@login_required
@never_cache
@require_safe
def grades(request: HttpRequest) -> HttpResponse:
    """The page. Guests are folded away: whoever only looked in is no member of the class."""
    teacher = _instructor(request)
    query, classroom, lesson = _query(request), _classroom(request, teacher), _lesson(request)
    chosen = {"q": query} if query else {}
    chosen |= {"class": str(classroom.pk)} if classroom is not None else {}
    some = bool(chosen)
    chosen |= {"lesson": lesson.slug} if lesson is not None else {}
    course = catalog.load()
    labs = course.labs if lesson is None else list(lesson.labs)
    page = Paginator(learners(teacher, query, classroom), PAGE).get_page(request.GET.get("page"))
    context: dict[str, Any] = {
        "labs": labs,
        "rows": rows_of(list(page.object_list), labs),
        "guests": [] if some else rows_of(list(guests(teacher)[:GUESTS_SHOWN]), labs),
        "query": query,
        "lesson": lesson,
        "lessons": course.lessons,
        "classroom": classroom,
        "classrooms": Classroom.objects.taught_by(teacher),
        "chosen": urlencode(chosen),
        "page": page,
        "appeals": _appeals(teacher),
        "failed": Run.objects.for_user(request.user).failed().select_related("user")[:FAILED_SHOWN],
        "csv_url": reverse("grading:grades_csv") + (f"?{urlencode(chosen)}" if chosen else ""),
    }
    return render(request, "grading/grades.html", context)


def _appeals(teacher: User) -> list[tuple[Appeal, str]]:
    """The open ones with the titles of their checks."""
    language = get_language() or "en"
    found = Appeal.objects.for_user(teacher).unsettled()[:APPEALS_SHOWN]
    return [(each, text_in(language, each.result.get("title", each.check_id))) for each in found]


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def appeal(request: HttpRequest, appeal_id: int) -> HttpResponse:
    """A learner's word against a check, with what was done until then; POST settles it, with a `reply` or without."""
    teacher = _instructor(request)
    found = get_object_or_404(Appeal.objects.for_user(teacher).select_related("user", "run"), pk=appeal_id)
    status, reply = 200, request.POST.get("reply", found.reply)
    if request.method == "POST":
        try:
            appeals.settle(found, reply)
            return redirect("grading:grades")
        except appeals.AppealError:
            status = 400
    (result,) = localize_checks([found.result], get_language() or "en")
    context = {
        "appeal": found,
        "check": result,
        "lab": _lab(found.run.lab_slug),
        "most": reading.SHOWN_ENTRIES,
        "reply": reply,
        "longest": appeals.NOTE,
        "refused": status == 400,
    }
    return render(request, "grading/appeal.html", context, status=status)


@login_required
@require_POST
def read_reply(request: HttpRequest, appeal_id: int) -> HttpResponse:
    """Its learner has read what was written back."""
    found = get_object_or_404(Appeal.objects.owned_by(request.user).select_related("run"), pk=appeal_id)
    appeals.note_read(found)
    return redirect("course:lab", found.run.lab_slug)


@login_required
@never_cache
@require_safe
def attempts(request: HttpRequest, user_id: int, slug: str) -> HttpResponse:
    """One learner's attempts at one lab: each with its checks and what they said, and with what was graded."""
    teacher = _instructor(request)
    learner = get_object_or_404(User.objects.taught_by(teacher), pk=user_id)
    made = (
        Attempt.objects.for_user(teacher)
        .filter(user=learner, lab_slug=slug)
        .select_related("run", "submission")
    )
    language = get_language() or "en"
    shown = [(attempt, localize_checks(attempt.checks, language)) for attempt in made[:ATTEMPTS_SHOWN]]
    runs = Run.objects.for_user(teacher).filter(user=learner, lab_slug=slug)
    if not shown and not runs:
        raise Http404
    context = {
        "learner": learner,
        "slug": slug,
        "lab": _lab(slug),
        "attempts": shown,
        "runs": runs[:ATTEMPTS_SHOWN],
    }
    return render(request, "grading/attempts.html", context)


def _lab(slug: str) -> Any:
    """The lab, or None where it has left the course."""
    return next((lab for lab in catalog.load().labs if lab.slug == slug), None)


@login_required
@never_cache
@require_safe
def learner_run(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """One learner's run, to read: its state, its files, what was done in it. Looking does not wake it."""
    _instructor(request)
    run = visible_run(request, run_id)
    context = {
        "run": run,
        "lab": _lab(run.lab_slug),
        "files": reading.files(run),
        "steps": reading.latest(run),
        "hints": _hints(run),
        "most": reading.SHOWN_ENTRIES,
    }
    return render(request, "grading/run.html", context)


def _hints(run: Run) -> list[tuple[Any, int]]:
    """The titles of checks whose hints were read, and how far."""
    lab = _lab(run.lab_slug)
    titles = {check.id: check.title for check in lab.variant(run.seed).checks} if lab is not None else {}
    return [(titles.get(check, {"en": check}), number) for check, number in appeals.hints_of(run).items()]


@login_required
@never_cache
@require_safe
def reading_kubeconfig(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """A kubeconfig with which an instructor reads a learner's cluster."""
    teacher = _instructor(request)
    run = visible_run(request, run_id)
    if not run.is_live:
        raise Http404
    text = kubeconfig_of(request, run, reading.reading_token(run, teacher))
    response = HttpResponse(text, content_type="application/yaml; charset=utf-8")
    name = f"kubeconfig-{run.lab_slug}-{run.user_id}-read.yaml"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _plain(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text


@login_required
@never_cache
@require_safe
def grades_csv(request: HttpRequest) -> HttpResponse:
    """The same as a file, without guests."""
    teacher = _instructor(request)
    found = learners(teacher, _query(request), _classroom(request, teacher))
    lesson = _lesson(request)
    labs = catalog.load().labs if lesson is None else list(lesson.labs)
    language = get_language() or "en"
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["user", "email", *[text_in(language, lab.title) for lab in labs], "score", "max_score"])
    for row in rows_of(list(found[:CSV_LIMIT]), labs):
        cells = [cell["score"] if cell else "" for cell in row.cells]
        writer.writerow([_plain(row.user.username), _plain(row.user.email), *cells, row.score, row.max_score])
    response = HttpResponse("\ufeff" + out.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="grades.csv"'
    return response
