"""The workspace page: a step at a time with its checks, cluster map, editor and terminal of one run."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from course import markdown, progress
from course.text import localized
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from grading import appeals, standing
from grading.reports import localize
from runs import states
from runs.access import run_for
from runs.clock import numbers
from runs.models import Run

from labs.kit import catalog
from labs.kit.checking import CheckSpec
from labs.kit.checks.object import ObjectJudge
from labs.kit.lab import Lab
from labs.kit.words import Text
from workspace.variants import lab_of

SUBJECTS = 4
"""Objects whose causes are offered after a pass."""


@dataclass(frozen=True)
class StepPage:
    """One step as the page shows it."""

    id: str
    title: Text
    html: SafeString
    checks: list[CheckSpec]


@never_cache
@require_safe
def workspace(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """The frame of the page; what lives in it is made by static/src/ts/workspace."""
    run = run_for(request, run_id)
    lab = lab_of(run)
    checks = {check.id: check for check in lab.checks}
    context = {
        "run": run,
        "lab": lab,
        "lesson": catalog.load().lesson(lab.lesson_slug),
        "intro": markdown.render(localized(lab.intro)),
        "steps": [
            StepPage(
                step.id,
                step.title,
                markdown.render(localized(step.text)).html,
                [checks[c] for c in step.checks],
            )
            for step in lab.steps
        ],
        "standing": _standing(run),
        "appealed": appeals.sent_of(run),
        "speeds": numbers(),
        **(_after(run, lab) if run.state == states.PASSED else {}),
    }
    return render(request, "workspace/workspace.html", context)


def _standing(run: Run) -> dict[str, Any] | None:
    """The last result of the checks in the reader's language."""
    kept = standing.of_run(run)
    if kept is None:
        return None
    report = {
        "score": kept.score,
        "max_score": kept.max_score,
        "passed": kept.passed,
        "checks": kept.checks,
        "at": kept.at.isoformat(),
        "asked": kept.asked,
    }
    return localize(report, get_language() or run.language)


def _after(run: Run, lab: Lab) -> dict[str, Any]:
    """What is told after a pass."""
    return {
        "run": run,
        "lab": lab,
        "solution": lab.solution_text,
        "stretch": markdown.render(localized(lab.stretch)).html if lab.stretch else "",
        "following": progress.after_lab(catalog.load(), lab),
        "subjects": _subjects(lab),
    }


def _subjects(lab: Lab) -> list[ObjectJudge]:
    """What the lab's checks look at by name: of these the page can tell how they came about. Notes are left out."""
    judges = [check.judge for check in lab.checks]
    found = {
        (judge.kind, judge.namespace, judge.name): judge
        for judge in judges
        if isinstance(judge, ObjectJudge) and judge.exists and judge.kind != "ConfigMap"
    }
    return list(found.values())[:SUBJECTS]


@never_cache
@require_safe
def after(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """What the page shows after a pass, as a piece of HTML; until then it is not there."""
    run = run_for(request, run_id)
    if run.state != states.PASSED:
        raise Http404
    return render(request, "workspace/after.html", _after(run, lab_of(run)))
