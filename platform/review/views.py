"""The page on which waiting questions are asked, one at a time. It needs no script."""

from __future__ import annotations

from typing import Any

from accounts.models import User
from course import markdown
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from labs.kit.words import LANGUAGES
from review import repairs, services
from review.models import Card
from review.services import Asked


def _told(asked: Asked) -> dict[str, Any]:
    """The question in the reader's language, as HTML."""
    language = (get_language() or LANGUAGES[0]).lower()
    question = asked.texts.get(language) or asked.texts[LANGUAGES[0]]
    return {
        "id": asked.id,
        "lesson": asked.lesson,
        "text": markdown.piece(question.text),
        "answers": [
            {
                "text": markdown.piece(each.text, inline=True),
                "why": markdown.piece(each.why),
                "right": each.right,
            }
            for each in question.answers
        ],
    }


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def review(request: HttpRequest) -> HttpResponse:
    """The question that has waited longest; POST answers one and shows what is right about it."""
    if request.method == "POST":
        return _answered(request)
    waiting = services.waiting(request.user)
    context = {
        "asked": _told(waiting[0]) if waiting else None,
        "waiting": services.count(request.user),
        "next_due": None if waiting else services.next_due(request.user),
        "repairs": repairs.waiting(request.user),
        "known": Card.objects.owned_by(request.user).filter(due=None).count(),
    }
    return render(request, "review/review.html", context)


def _answered(request: HttpRequest) -> HttpResponse:
    asked = services.question(request.POST.get("question", ""))
    chosen = request.POST.get("answer", "")
    # Who is nobody has no queue, and a question that is gone cannot be answered: the page says what there is.
    if not isinstance(request.user, User) or asked is None or not (chosen.isascii() and chosen.isdigit()):
        return redirect("review:review")
    try:
        card = services.answer(request.user, asked, int(chosen[:4]))
    except IndexError:
        return redirect("review:review")
    told = _told(asked)
    context = {
        "answered": told,
        "chosen": told["answers"][int(chosen[:4])],
        "right": [each for each in told["answers"] if each["right"]],
        "card": card,
        "waiting": services.count(request.user),
    }
    return render(request, "review/review.html", context)
