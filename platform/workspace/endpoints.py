"""JSON endpoints of the workspace page; the contract is in docs/ARCHITECTURE.md."""

from __future__ import annotations

from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from grading import appeals, hints
from grading.reports import localize, localize_checks
from runs import branches as ways
from runs import hosting, other_states, services, states, stations
from runs.happenings import with_sentence
from runs.kubeconfig import kubeconfig_of
from runs.models import Run
from runs.reasons import with_words
from runs.texts import is_storable

from labs.kit.pages import HINTS
from workspace import previews
from workspace.answers import BadRequestError, endpoint, field, json_body, problem
from workspace.variants import packed

MAX_PATH = 200
MAX_FILE = 256 * 1024
MAX_NAME = 253
MAX_TIME = 60
MAX_NUMBER = 1_000_000


def _relay(reply: hosting.Reply) -> HttpResponse:
    return JsonResponse(reply.data, status=reply.status, safe=False)


def _path(data: dict[str, Any], name: str) -> str:
    path = field(data, name)
    if not path or len(path) > MAX_PATH:
        raise BadRequestError(_("The file's path is empty or too long."))
    if not is_storable(path):
        raise BadRequestError(_("The file holds characters that are not valid text."))
    return path


def _one_file(request: HttpRequest) -> dict[str, str]:
    data = json_body(request)
    path, content = _path(data, "path"), field(data, "content")
    if not is_storable(content):
        raise BadRequestError(_("The file holds characters that are not valid text."))
    if len(content.encode("utf-8")) > MAX_FILE:
        raise BadRequestError(_("The file is larger than %(limit)d KiB.") % {"limit": MAX_FILE // 1024})
    return {"path": path, "content": content}


@endpoint("GET")
async def state(request: HttpRequest, run: Run) -> HttpResponse:
    """How the run is doing. A run that waits for a host for too long is asked for again."""
    if run.state == states.REQUESTED and request.user.pk == run.user_id:
        await hosting.nudge(run.pk)
    return JsonResponse({"state": run.state, "message": run.message, "notice": services.notice_of(run)})


@endpoint("POST")
async def check(request: HttpRequest, run: Run) -> HttpResponse:
    """Have the cluster graded as it is; say what is right and what is not. The host keeps the attempt."""
    reply = await hosting.call(run, "POST", "check", seconds=settings.CHECK_SECONDS + 10)
    if reply.status != 200:
        return _relay(reply)
    return JsonResponse(localize(reply.data, get_language() or run.language))


@endpoint("POST")
async def appeal(request: HttpRequest, run: Run) -> HttpResponse:
    """The learner says that a check is wrong: {check, note}. It goes to who teaches, with the run's journal."""
    data = json_body(request)
    try:
        await sync_to_async(appeals.send)(run, field(data, "check"), field(data, "note"))
    except appeals.AppealError as error:
        if str(error) == "note":
            raise BadRequestError(
                _("The note is longer than %(limit)d characters, or not valid text.")
                % {"limit": appeals.NOTE}
            ) from None
        return problem(409, _("This check does not fail at the moment. Check your work first."))
    return JsonResponse({"sent": True})


@endpoint("POST")
async def hint(request: HttpRequest, run: Run) -> HttpResponse:
    """The next hint about a check that fails (`grading.hints.Told`): {check, after}, how many are shown, from 0."""
    data = json_body(request)
    after = data.get("after")
    if not isinstance(after, int) or not 0 <= after <= HINTS:
        raise BadRequestError(_("There is no such hint."))
    language = (get_language() or run.language).lower()
    try:
        told = await sync_to_async(hints.give)(run.pk, field(data, "check"), language, after)
    except appeals.HintError as error:
        return problem(409, str(error))
    return JsonResponse(told)


@endpoint("POST")
async def apply(request: HttpRequest, run: Run) -> HttpResponse:
    """Save one file in the terminal's home and run `kubectl apply -f` on it."""
    return _relay(await hosting.call(run, "POST", "apply", _one_file(request)))


@endpoint("POST")
async def diff(request: HttpRequest, run: Run) -> HttpResponse:
    """Save one file and run `kubectl diff -f` on it: what applying it would change."""
    return _relay(await hosting.call(run, "POST", "diff", _one_file(request)))


@endpoint("POST")
async def lint(request: HttpRequest, run: Run) -> HttpResponse:
    """What the API server would say to the file {path, content}; nothing is saved (see `runs.host.linting`)."""
    return _relay(await hosting.call(run, "POST", "lint", _one_file(request)))


@endpoint("GET", "POST")
async def clock(request: HttpRequest, run: Run) -> HttpResponse:
    """The cluster's time and how fast it goes; POST sets or moves it (see `runs.host.clock`)."""
    data = json_body(request) if request.method == "POST" else None
    return _relay(with_sentence(await hosting.call(run, request.method or "GET", "clock", data)))


@endpoint("GET")
async def written(request: HttpRequest, run: Run) -> HttpResponse:
    """What the learner wrote of the cluster's objects since the lab began: {manifests}."""
    return _relay(await hosting.call(run, "GET", "written"))


@endpoint("GET")
async def takehome(request: HttpRequest, run: Run) -> HttpResponse:
    """The run's variant of its lab as plain manifests, for a real cluster; what the learner wrote leads to its goal."""
    reply = await hosting.call(run, "GET", "written")
    if reply.status != 200:
        return _relay(reply)
    language = get_language() or run.language
    return await sync_to_async(packed)(run, language, reply.data["manifests"])


@endpoint("GET")
async def why(request: HttpRequest, run: Run) -> HttpResponse:
    """Why the object ?resource=&namespace=&name= is as it is, and why a Pod is where it is (see `runs.reasons`)."""
    asked = {key: request.GET.get(key, "")[:MAX_NAME] for key in ("resource", "namespace", "name")}
    return _relay(with_words(await hosting.call(run, "GET", "why", asked)))


@endpoint("GET")
async def requests(request: HttpRequest, run: Run) -> HttpResponse:
    """The latest requests that changed something, of ?resource=&namespace=&name=; with ?id= one, and its way (see
    `runs.stations`)."""
    asked = {key: request.GET.get(key, "")[:MAX_NAME] for key in ("id", "resource", "namespace", "name")}
    return _relay(stations.with_words(await hosting.call(run, "GET", "trail", asked)))


@endpoint("GET")
async def past(request: HttpRequest, run: Run) -> HttpResponse:
    """How far one can look back; with ?at= (a time) or ?revision= the cluster as it was, compared with now, or with
    ?against= or ?against_revision= (see `runs.host.past`)."""
    names = ("at", "revision", "against", "against_revision")
    asked = {key: request.GET.get(key, "")[:MAX_NAME] for key in names}
    return _relay(other_states.with_words(await hosting.call(run, "GET", "past", asked)))


@endpoint("GET")
async def timeline(request: HttpRequest, run: Run) -> HttpResponse:
    """The lives of the run's Pods on its clock, its Events and its checks (see `runs.host.timeline`)."""
    reply = await hosting.call(run, "GET", "timeline")
    if reply.status != 200:
        return _relay(reply)
    checks = localize_checks(reply.data.get("checks") or [], get_language() or run.language)
    return JsonResponse({**reply.data, "checks": checks})


@endpoint("POST")
async def whatif(request: HttpRequest, run: Run) -> HttpResponse:
    """What would happen if: {action, resource, namespace, name, manifest, seconds} (see `runs.host.whatif`)."""
    return _relay(other_states.foretold(await hosting.call(run, "POST", "whatif", json_body(request))))


@endpoint("GET", "POST", "PUT", "DELETE")
async def branches(request: HttpRequest, run: Run) -> HttpResponse:
    """The run's branches, and the lab's steps that have begun; POST makes another branch present (see
    `runs.host.branching`), PUT renames one {number, name}, DELETE deletes one {number}."""
    if request.method == "POST":
        return _relay(await hosting.call(run, "POST", "branch", json_body(request)))
    if not run.is_live:
        raise hosting.OverError(run.state)
    if request.method != "GET":
        data = json_body(request)
        number = data.get("number")
        if not isinstance(number, int) or not 0 <= number <= MAX_NUMBER:
            raise BadRequestError(_("Name a branch by its number."))
        try:
            if request.method == "PUT":
                await sync_to_async(ways.rename)(run, number, field(data, "name"))
            else:
                await sync_to_async(ways.delete)(run, number)
        except ways.BranchError as error:
            return problem(409, str(error))
    told = {"branches": await sync_to_async(ways.listed)(run), "steps": await sync_to_async(ways.steps)(run)}
    return JsonResponse(told)


@endpoint("GET", "PUT", "POST", "DELETE")
async def files(request: HttpRequest, run: Run) -> HttpResponse:
    """The files of the terminal's home; PUT saves one, POST renames one {path, to}, DELETE deletes one {path}."""
    data: dict[str, str] | None = None
    if request.method == "PUT":
        data = _one_file(request)
    elif request.method == "POST":
        body = json_body(request)
        data = {"path": _path(body, "path"), "to": _path(body, "to")}
    elif request.method == "DELETE":
        data = {"path": _path(json_body(request), "path")}
    return _relay(await hosting.call(run, request.method or "GET", "files", data))


@endpoint("POST")
async def preview(request: HttpRequest, run: Run) -> HttpResponse:
    """An address, good for some minutes, of the page of a Pod or Service {kind, namespace, name, port}."""
    wanted = previews.wanted_of(json_body(request))
    if wanted is None:
        raise BadRequestError(_("Name a Pod or a Service, its namespace and a port."))
    if not run.is_live:
        raise hosting.OverError(run.state)
    return JsonResponse({"url": previews.address_of(run, *wanted)})


@endpoint("POST")
async def reset(request: HttpRequest, run: Run) -> HttpResponse:
    """Begin the lab again; results so far are kept."""
    await sync_to_async(services.reset)(run)
    return JsonResponse({"state": run.state})


@endpoint("POST")
async def stop(request: HttpRequest, run: Run) -> HttpResponse:
    """End the run."""
    await sync_to_async(services.stop)(run)
    return JsonResponse({"state": run.state})


@endpoint("GET", "POST", reading=())
async def kubeconfig(request: HttpRequest, run: Run) -> HttpResponse:
    """A kubeconfig for the learner's own kubectl, helm or client library; POST makes those of before invalid.

    With ?at= it reads the cluster as it was then (`runs.host.past_api`).
    """
    if not run.is_live:
        return problem(409, _("This lab run is over. Start the lab again to go on."))
    if request.method == "POST":
        await sync_to_async(services.renew_token)(run)
    text = kubeconfig_of(request, run, run.token, request.GET.get("at", "")[:MAX_TIME])
    response = HttpResponse(text, content_type="application/yaml; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="kubeconfig-{run.lab_slug}.yaml"'
    return response
