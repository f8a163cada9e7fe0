"""Other states of a run's cluster in words: its past (`runs.host.past` as JSON), two moments of it side by side, and
what if (`runs.host.whatif`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from runs.happenings import LINE_LIMIT, changes_of, clause, sentence
from runs.hosting import Reply

#: What became of an object since → what is said of it then.
SINCE: dict[str, Promise] = {
    "created": _("%(kind)s %(name)s was not there yet"),
    "deleted": _("%(kind)s %(name)s was still there"),
    "changed": _("%(kind)s %(name)s was different (%(changed)s)"),
}

#: What became of an object from one moment to another → what is said of it.
BETWEEN: dict[str, Promise] = {
    "created": _("%(kind)s %(name)s was created"),
    "deleted": _("%(kind)s %(name)s was deleted"),
    "changed": _("%(kind)s %(name)s changed (%(changed)s)"),
}

#: What became of an object → how its line in the terminal begins.
SIGNS = {"created": "+", "deleted": "-", "changed": "~"}

#: What would become of an object → what is said of it.
WOULD: dict[str, Promise] = {
    "created": _("%(kind)s %(name)s would be there"),
    "deleted": _("%(kind)s %(name)s would not be there"),
    "changed": _("%(kind)s %(name)s would be different (%(changed)s)"),
}


def with_words(reply: Reply) -> Reply:
    """A host's answer of `past`, told: its `marks` are {at, revision, text}, its `since` as `_told` gives them: told
    as what was different then, or as what changed between two moments."""
    if reply.status != 200:
        return reply
    told = dict(reply.data)
    if "marks" in told:
        told["marks"] = [
            {"at": each["at"], "revision": each["revision"], "text": clause(each)} for each in told["marks"]
        ]
    if "since" in told:
        told["since"] = [_told(each, BETWEEN if told["against"] else SINCE) for each in told["since"]]
    return Reply(200, told)


def typed(compared: Mapping[str, Any]) -> str:
    """What `time diff` of the terminal says, in the current language: an object a line, then its other fields and who
    changed it last."""
    moments = sorted((compared["at"], compared["against"] or str(_("now"))))
    lines = [str(_("From %(first)s to %(last)s:")) % {"first": moments[0], "last": moments[1]}]
    for change in compared["since"]:
        told = _told(change, BETWEEN)
        lines.append(f"{SIGNS[change['what']]} {told['text']}")
        lines += [f"    {changes_of({'changed': [each]})}" for each in change["changed"][LINE_LIMIT:]]
        lines += [f"    {told['last']}"] if told["last"] else []
    if compared["more"]:
        lines.append(str(_("… and %(more)d more")) % {"more": compared["more"]})
    return "\n".join(lines) if len(lines) > 1 else str(_("Nothing is different."))


def foretold(reply: Reply) -> Reply:
    """A host's answer of `whatif`, told: its `story` is {at, text}, its `changes` are as `_told` gives them."""
    if reply.status != 200:
        return reply
    told = reply.data
    story = [{"at": each["at"], "text": clause(each)} for each in told["story"]]
    return Reply(200, {**told, "story": story, "changes": [_told(each, WOULD) for each in told["changes"]]})


def _told(change: Mapping[str, Any], texts: Mapping[str, Promise]) -> dict[str, Any]:
    name = f"{change['namespace']}/{change['name']}" if change["namespace"] else change["name"]
    words = {"kind": change["kind"], "name": name, "changed": changes_of(change)}
    return {
        **{key: change[key] for key in ("kind", "namespace", "name", "what", "changed")},
        "text": str(texts[change["what"]]) % words,
        "last": sentence(change["last"]) if change.get("last") else "",
    }
