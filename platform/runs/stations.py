"""A request's way in words (`runs.host.trail.Trail` as JSON): station by station, each with its lesson."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypedDict

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from runs.happenings import clause
from runs.hosting import Reply

Request = Mapping[str, Any]


class Told(TypedDict):
    """A station of the way."""

    key: str
    title: str
    text: str
    details: list[str]
    lesson: str
    """The slug of the lesson that explains it; "": none does."""


class Station(NamedTuple):
    """What is asked of a request at one place of its way."""

    key: str
    title: Promise
    lesson: str
    tell: Callable[[Request], tuple[str, list[str]] | None]
    """What it met there, and details, a line each; None: it did not come there."""


def with_words(reply: Reply) -> Reply:
    """A host's answer of `trail`, told: `stations`, and what `followed` as {at, text}; a list of requests as it is."""
    if reply.status != 200 or "request" not in reply.data:
        return reply
    request, followed = reply.data["request"], reply.data["followed"]
    asked = {key: request[key] for key in ("id", "at", "method", "path", "code")}
    told = {
        "asked": {**asked, "user": request["user"].get("username", "")},
        "stations": stations_of(request),
        "followed": [{"at": each["at"], "text": clause(each)} for each in followed],
        "untold": reply.data["untold"],
    }
    return Reply(200, told)


def stations_of(request: Request) -> list[Told]:
    """The stations that the request came to, in their order."""
    found: list[Told] = []
    for station in STATIONS:
        if (told := station.tell(request)) is not None:
            text, details = told
            found.append(
                Told(
                    key=station.key,
                    title=str(station.title),
                    text=text,
                    details=details,
                    lesson=station.lesson,
                )
            )
    return found


def typed(trail: Mapping[str, Any]) -> str:
    """The same as lines of a terminal, in the current language."""
    told = with_words(Reply(200, trail)).data
    lines = ["{at:.19}  {method} {path}".format(**told["asked"])]
    for number, station in enumerate(told["stations"], start=1):
        lines.append(f"{number}. {station['title']}: {station['text']}")
        lines += [f"     {detail}" for detail in station["details"]]
    if told["followed"]:
        lines.append(_("What followed:"))
        lines += [f"  {each['at'][11:19]}  {each['text']}" for each in told["followed"]]
    return "\n".join(lines)


def _authentication(request: Request) -> tuple[str, list[str]]:
    user = request["user"]
    if not user:
        return _("Who asks could not be told."), []
    groups = ", ".join(user.get("groups") or ())
    details = [_("Groups: %(groups)s") % {"groups": groups}] if groups else []
    if request["agent"]:
        details.append(_("Client: %(agent)s") % {"agent": request["agent"]})
    return _("It is %(user)s who asks.") % {"user": user["username"]}, details


def _authorization(request: Request) -> tuple[str, list[str]] | None:
    if not request["decision"]:
        return None
    what = {"verb": request["verb"], "what": _what(request)}
    if request["decision"] != "allow":
        return _("They may not %(verb)s %(what)s.") % what, [request["message"]]
    rule = request["reason"] or _("No rule was needed: the group system:masters, or a node for its own.")
    return _("They may %(verb)s %(what)s.") % what, [rule]


def _what(request: Request) -> str:
    if not request["resource"]:
        return str(request["path"])
    part = f"/{request['subresource']}" if request["subresource"] else ""
    group = f".{request['group']}" if request["group"] else ""
    return f"{request['resource']}{group}{part}"


def _defaults(request: Request) -> tuple[str, list[str]] | None:
    paths = request["defaulted"]
    if not paths:
        return None
    text = ngettext("%(n)d field was filled in.", "%(n)d fields were filled in.", len(paths)) % {
        "n": len(paths)
    }
    return text, [", ".join(paths)]


def _admission(phase: str) -> Callable[[Request], tuple[str, list[str]] | None]:
    def tell(request: Request) -> tuple[str, list[str]] | None:
        asked = [each for each in request["admission"] if each["phase"] == phase]
        if not asked:
            return None
        details = [
            f"{each['plugin']}: {each['refused'] or ', '.join(each['changed'])}"
            for each in asked
            if each["refused"] or each["changed"]
        ]
        if any(each["refused"] for each in asked):
            return _("%(plugin)s refused it.") % asked[-1], details
        names = _("Asked: %(plugins)s") % {"plugins": ", ".join(each["plugin"] for each in asked)}
        if phase == "validating":
            return _("Nobody had anything against it."), [names]
        changed = sum(bool(each["changed"]) for each in asked)
        text = ngettext("%(n)d plugin changed it.", "%(n)d plugins changed it.", changed) % {"n": changed}
        return text, [*details, names]

    return tell


def _validation(request: Request) -> tuple[str, list[str]] | None:
    match request["validation"]:
        case "passed":
            return _("The object is valid."), []
        case "failed":
            return _("The object is not valid."), list(request["problems"])
    return None


def _store(request: Request) -> tuple[str, list[str]] | None:
    writes: Sequence[Mapping[str, Any]] = request["writes"]
    if not writes:
        return None
    text = _("It was stored as revision %(revision)d.") % request
    return text, [f"{each['verb']} {each['resource']} {each['key']}: {each['revision']}" for each in writes]


def _watches(request: Request) -> tuple[str, list[str]] | None:
    if not request["writes"]:
        return None
    told = sum(each["watches"] for each in request["writes"])
    return ngettext(
        "%(n)d open watch was told, and the controllers whose kind it is.",
        "%(n)d open watches were told, and the controllers whose kind it is.",
        told,
    ) % {"n": told}, []


def _passed(request: Request) -> tuple[str, list[str]] | None:
    """The way from the API server to a kubelet, or to a Pod or Service as a proxy."""
    hops: Sequence[Mapping[str, str]] = request["passed"]
    if not hops:
        return None
    details = [_hop(hop) for hop in hops]
    last = hops[-1]
    if last["at"] == "kubelet":
        return _("The API server passed it on to the kubelet of %(node)s.") % last, details
    if last["at"] == "address":
        return _("The API server passed it on to %(address)s.") % last, details
    return _("It went no further than konnectivity: no agent takes it on."), details


def _hop(hop: Mapping[str, str]) -> str:
    match hop["at"]:
        case "konnectivity-server":
            return _("%(name)s, the konnectivity server on %(node)s, at the socket %(address)s") % hop
        case "konnectivity-agent":
            return _("%(name)s, an agent on %(node)s, through the tunnel that it keeps open") % hop
        case "kubelet":
            return _("the kubelet of %(node)s, at %(address)s") % hop
    return str(hop["address"])


def _answer(request: Request) -> tuple[str, list[str]]:
    message = [request["message"]] if request["message"] else []
    return _("The answer was %(code)d.") % request, message


STATIONS = (
    Station("authentication", gettext_lazy("Authentication"), "control-plane-communication", _authentication),
    Station("authorization", gettext_lazy("Authorization"), "control-plane-communication", _authorization),
    Station("defaults", gettext_lazy("Defaults"), "objects-spec-and-status", _defaults),
    Station("mutating", gettext_lazy("Mutating admission"), "cluster-components", _admission("mutating")),
    Station("validation", gettext_lazy("Validation"), "managing-objects", _validation),
    Station(
        "validating", gettext_lazy("Validating admission"), "cluster-components", _admission("validating")
    ),
    Station("store", gettext_lazy("Store"), "cluster-components", _store),
    Station("watches", gettext_lazy("Who was told"), "controllers", _watches),
    Station("passed", gettext_lazy("To the node"), "control-plane-communication", _passed),
    Station("answer", gettext_lazy("Answer"), "", _answer),
)
"""The way, in its order."""
