"""The one way from a request to a run: whoever may not see it gets the same 404 as for one that never was."""

from __future__ import annotations

import uuid

from django.http import Http404, HttpRequest

from runs.models import Run


def run_for(request: HttpRequest, run_id: uuid.UUID) -> Run:
    """The user's own run, or 404."""
    run = Run.objects.owned_by(request.user).filter(pk=run_id).first()
    if run is None:
        raise Http404
    return run


def visible_run(request: HttpRequest, run_id: uuid.UUID) -> Run:
    """A run the user may look at (an instructor any, others their own), or 404."""
    run = Run.objects.for_user(request.user).filter(pk=run_id).first()
    if run is None:
        raise Http404
    return run
