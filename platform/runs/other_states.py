"""Other states of a run's cluster in words: its past (`runs.host.past` as JSON), and what if (`runs.host.whatif`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from runs.happenings import changes_of, clause
from runs.hosting import Reply

#: What became of an object since → what is said of it then.
SINCE: dict[str, Promise] = {
    "created": _("%(kind)s %(name)s was not there yet"),
    "deleted": _("%(kind)s %(name)s was still there"),
    "changed": _("%(kind)s %(name)s was different (%(changed)s)"),
}

#: What would become of an object → what is said of it.
WOULD: dict[str, Promise] = {
    "created": _("%(kind)s %(name)s would be there"),
    "deleted": _("%(kind)s %(name)s would not be there"),
    "changed": _("%(kind)s %(name)s would be different (%(changed)s)"),
}


def with_words(reply: Reply) -> Reply:
    """A host's answer of `past`, told: its `marks` are {at, revision, text}, its `since` as `_told` gives them."""
    if reply.status != 200:
        return reply
    told = dict(reply.data)
    if "marks" in told:
        told["marks"] = [
            {"at": each["at"], "revision": each["revision"], "text": clause(each)} for each in told["marks"]
        ]
    if "since" in told:
        told["since"] = [_told(each, SINCE) for each in told["since"]]
    return Reply(200, told)


def foretold(reply: Reply) -> Reply:
    """A host's answer of `whatif`, told: its `story` is {at, text}, its `changes` are as `_told` gives them."""
    if reply.status != 200:
        return reply
    told = reply.data
    story = [{"at": each["at"], "text": clause(each)} for each in told["story"]]
    return Reply(200, {**told, "story": story, "changes": [_told(each, WOULD) for each in told["changes"]]})


def _told(change: Mapping[str, Any], texts: Mapping[str, Promise]) -> dict[str, str]:
    name = f"{change['namespace']}/{change['name']}" if change["namespace"] else change["name"]
    words = {"kind": change["kind"], "name": name, "changed": changes_of(change)}
    return {
        **{key: change[key] for key in ("kind", "namespace", "name", "what")},
        "text": str(texts[change["what"]]) % words,
        "last": clause(change["last"]) if change.get("last") else "",
    }
