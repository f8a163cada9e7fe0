"""What the page of the design system shows: the colours of tokens.css with what is written on them, and the parts."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from course.icons import ICONS
from course.strings import JS_STRINGS

#: Token → token of what is written on it.
COLOURS: dict[str, str] = {
    "paper": "ink",
    "surface": "ink",
    "sunken": "ink-2",
    "raised": "ink",
    "navy": "on-navy",
    "tide-soft": "tide",
    "lead-fill": "on-lead",
    "lead-soft": "lead",
    "ok-soft": "ok",
    "wait-soft": "wait",
    "bad-soft": "bad",
}
LOOKS = ("running", "unready", "pending", "failed", "done", "leaving")
BADGES = ("passed", "started", "failed")
CHECKS = ("passed", "failed", "pending", "error")
PARTS = ("", "is-lit", "is-stopped")
NOTICES = ("", "notice-success", "notice-error")
STEPS = ("step-3", "step-2", "step-1", "step-0", "step--1")


@require_safe
def style_page(request: HttpRequest) -> HttpResponse:
    """Colours, letters and parts of the site side by side, in the reader's theme and language."""
    context = {
        "colours": COLOURS,
        "looks": LOOKS,
        "badges": BADGES,
        "steps": STEPS,
        "icons": sorted(ICONS),
        "checks": {state: JS_STRINGS["workspace"][f"checks.{state}"] for state in CHECKS},
        "parts": PARTS,
        "notices": NOTICES,
    }
    return render(request, "course/style.html", context)
