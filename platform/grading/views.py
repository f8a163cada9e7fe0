"""The instructor's gradebook."""

from __future__ import annotations

import csv
import io
from typing import Any
from urllib.parse import urlencode

from accounts.models import User
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from runs.models import Run

from grading.gradebook import learners, rows_of
from grading.reports import text_in
from labs.kit import catalog

PAGE = 50
FAILED_SHOWN = 20
CSV_LIMIT = 10_000
#: A cell that begins so is a formula to a spreadsheet.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def _query(request: HttpRequest) -> str:
    if not isinstance(request.user, User) or not request.user.is_instructor:
        raise PermissionDenied
    return request.GET.get("q", "").strip()[:100]


@login_required
@never_cache
@require_safe
def grades(request: HttpRequest) -> HttpResponse:
    """The page."""
    query = _query(request)
    labs = catalog.load().labs
    page = Paginator(learners(query), PAGE).get_page(request.GET.get("page"))
    context: dict[str, Any] = {
        "labs": labs,
        "rows": rows_of(list(page.object_list), labs),
        "query": query,
        "page": page,
        "failed": Run.objects.for_user(request.user).failed().select_related("user")[:FAILED_SHOWN],
        "csv_url": reverse("grading:grades_csv") + (f"?{urlencode({'q': query})}" if query else ""),
    }
    return render(request, "grading/grades.html", context)


def _plain(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text


@login_required
@never_cache
@require_safe
def grades_csv(request: HttpRequest) -> HttpResponse:
    """The same as a file."""
    query = _query(request)
    labs = catalog.load().labs
    language = get_language() or "en"
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["user", "email", *[text_in(language, lab.title) for lab in labs], "score", "max_score"])
    for row in rows_of(list(learners(query)[:CSV_LIMIT]), labs):
        cells = [cell["score"] if cell else "" for cell in row.cells]
        writer.writerow([_plain(row.user.username), _plain(row.user.email), *cells, row.score, row.max_score])
    response = HttpResponse("\ufeff" + out.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="grades.csv"'
    return response
