"""What happened in a cluster, and why, as a sentence (`runs.host.happening.Happening` as JSON)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from runs.hosting import Reply

#: Fields that are told in one line.
LINE_LIMIT = 3

#: Verb → what is said of a write.
DONE: dict[str, Promise] = {
    "create": gettext_lazy("%(component)s created the %(kind)s %(name)s"),
    "update": gettext_lazy("%(component)s changed the %(kind)s %(name)s"),
    "delete": gettext_lazy("%(component)s deleted the %(kind)s %(name)s"),
}

#: Verb → what is said of a write that may come.
TO_COME: dict[str, Promise] = {
    "create": gettext_lazy("%(component)s creates a new %(kind)s"),
    "update": gettext_lazy("%(component)s changes the %(kind)s %(name)s"),
    "delete": gettext_lazy("%(component)s deletes the %(kind)s %(name)s"),
    "report": gettext_lazy("%(component)s on the %(kind)s %(name)s: “%(text)s”"),
}


def sentence(happening: Mapping[str, Any]) -> str:
    """In the current language: who did what, and what it follows from."""
    what = clause(happening)
    cause = happening.get("because")
    if not cause:
        return _("%(what)s.") % {"what": what}
    return _("%(what)s, because %(why)s.") % {"what": what, "why": clause(cause)}


def with_sentence(reply: Reply) -> Reply:
    """A host's answer of the clock, with the `sentence` of what happened ("" when nothing did) and of each choice."""
    if reply.status != 200:
        return reply
    happened, choices = reply.data.get("happened"), reply.data.get("choices")
    words: dict[str, Any] = {"sentence": sentence(happened) if happened else ""}
    if choices is not None:
        words["choices"] = [{"id": each["id"], "text": expectation(each)} for each in choices]
    return Reply(200, {**reply.data, **words})


def expectation(choice: Mapping[str, Any]) -> str:
    """In the current language: what may come (a `Choice` of `runs.host.predicting`)."""
    said = _to_come(choice)
    fields = ", ".join(choice["fields"][:LINE_LIMIT])
    if fields:
        said = _("%(done)s (%(changed)s)") % {"done": said, "changed": fields}
    return _("%(what)s.") % {"what": said}


def _to_come(choice: Mapping[str, Any]) -> str:
    if not choice["verb"]:
        return _("Nothing, unless somebody does something")
    return str(TO_COME.get(choice["verb"], TO_COME["update"])) % choice


def clause(happening: Mapping[str, Any]) -> str:
    """In the current language: who did what, without its cause and without a full stop."""
    if not happening.get("kind"):
        return _("%(component)s asked: %(verb)s %(text)s") % happening
    if happening.get("text"):
        return _("%(component)s on the %(kind)s %(name)s: “%(text)s”") % happening
    template = DONE.get(str(happening.get("verb")), DONE["update"])
    done = str(template) % happening
    changed = changes_of(happening)
    return _("%(done)s (%(changed)s)") % {"done": done, "changed": changed} if changed else done


def changes_of(happening: Mapping[str, Any]) -> str:
    """What it `changed`, the first of it in one line; "" when that is not known."""
    return ", ".join(_change(each) for each in (happening.get("changed") or ())[:LINE_LIMIT])


def _change(difference: Mapping[str, Any]) -> str:
    before, after = (difference[key] or "∅" for key in ("before", "after"))
    return f"{difference['path']}: {before} → {after}"
