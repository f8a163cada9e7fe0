"""The workspace page: instructions, checks, cluster map, editor and terminal of one run."""

from __future__ import annotations

import uuid

from course import markdown, progress
from course.text import localized
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from runs.access import run_for

from labs.kit import catalog


@never_cache
@require_safe
def workspace(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """The frame of the page; what lives in it is made by static/src/ts/workspace."""
    run = run_for(request, run_id)
    course = catalog.load()
    try:
        lab = course.lab(run.lab_slug)
    except KeyError:
        raise Http404 from None  # the lab has left the course since
    context = {
        "run": run,
        "lab": lab,
        "lesson": lab.lesson,
        "page": markdown.render(localized(lab.instructions)),
        "following": progress.after_lab(course, lab),
    }
    return render(request, "workspace/workspace.html", context)
