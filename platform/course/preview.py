"""A lab as one page for its author: text, steps, checks, hints, and what each check says before anything is done."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation

from course import markdown
from labs.kit import runner
from labs.kit.lab import DEFAULT_SEED, Lab
from labs.kit.words import of


def render(lab: Lab, language: str, seed: int | None = None, *, fresh: bool = False) -> str:
    """The page; ``fresh``: a browser loads it again every two seconds."""
    if seed is None:
        seed = lab.seed if lab.seed is not None else DEFAULT_SEED
    this = lab.variant(seed)
    report = runner.grade(this, runner.boot(this, seed))
    results = {result.id: result.as_dict(language) for result in report.checks}
    for check in this.checks:
        results[check.id]["hints"] = [of(hint, language) for hint in check.hints]
    with translation.override(language):
        context: dict[str, Any] = {
            "lab": this,
            "seed": seed,
            "fresh": fresh,
            "language": language,
            "css": settings.ROOT / "static/dist/app.css",
            "intro": markdown.render(of(this.intro, language)).html,
            "steps": [
                {
                    "title": of(step.title, language),
                    "html": markdown.render(of(step.text, language)).html,
                    "checks": [results[check] for check in step.checks],
                }
                for step in this.steps
            ],
        }
        return render_to_string("course/preview.html", context)
