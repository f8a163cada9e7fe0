"""The past of a run in words (`runs.host.past` as JSON): what came from outside, and what was different then."""

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


def with_words(reply: Reply) -> Reply:
    """A host's answer of `past`, told: its `marks` are {at, revision, text}, its `since` as `_since` gives them."""
    if reply.status != 200:
        return reply
    told = dict(reply.data)
    if "marks" in told:
        told["marks"] = [
            {"at": each["at"], "revision": each["revision"], "text": clause(each)} for each in told["marks"]
        ]
    if "since" in told:
        told["since"] = [_since(each) for each in told["since"]]
    return Reply(200, told)


def _since(change: Mapping[str, Any]) -> dict[str, str]:
    name = f"{change['namespace']}/{change['name']}" if change["namespace"] else change["name"]
    words = {"kind": change["kind"], "name": name, "changed": changes_of(change)}
    return {
        **{key: change[key] for key in ("kind", "namespace", "name", "what")},
        "text": str(SINCE[change["what"]]) % words,
        "last": clause(change["last"]) if change.get("last") else "",
    }
