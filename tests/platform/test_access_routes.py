"""Who gets what from every address of the site: route × verb × role. A route without a row fails, and so does an
answer to a verb that has no column."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from accounts import classes
from accounts.models import ApiToken, User
from django.contrib.auth.models import Group
from django.db import transaction
from django.test import Client
from django.urls import URLResolver, get_resolver
from grading.models import Appeal, Standing, Submission
from runs import hosting
from runs.hosting import Reply
from runs.models import Branch, Run

ROLES = ("owner", "other", "instructor", "staff", "guest", "anonymous")
VERBS = ("GET", "POST", "PUT", "PATCH", "DELETE")
REFUSALS = {302, 401, 403, 404, 405}
REPORT = {"score": 0, "max_score": 2, "passed": False, "checks": []}
FILE = {"path": "a.yaml", "to": "b.yaml", "content": "x"}
PAGE = {"kind": "pods", "namespace": "default", "name": "web", "port": 80}
BODIES = {
    "apply": FILE,
    "diff": FILE,
    "lint": FILE,
    "files": FILE,
    "preview": PAGE,
    "appeal": {"check": "x", "note": ""},
    "hint": {"check": "etcd-node", "after": 0},
    "clock": {"action": "pause"},
    "whatif": {"action": "power-off", "name": "worker-1"},
    "branches": {"action": "undo", "number": 0, "name": "x"},
    "branches/<int:number>": {"name": "x"},
    "api/v1/runs/": {"lab": "explore-the-components"},
}
QUERIES = {"why": "?resource=pods&name=web"}
"""What an address asks of the reader, by how its route ends."""
CLOCK = {"now": "2026-01-01T00:00:00Z", "speed": 1.0, "resume": 1.0, "looking": "", "sentence": ""}
BRANCHED = {"number": 1, "name": "x"}
WHY = {
    "kind": "Pod",
    "name": "web",
    "namespace": "default",
    "chain": [],
    "attempt": None,
    "nodes": 0,
    "unready": [],
}
FORECAST = {"seconds": 60, "story": [], "untold": 0, "changes": [], "more": 0, "maps": {}}
ANSWERS = {
    "check": REPORT,
    "clock": CLOCK,
    "why": WHY,
    "written": {"manifests": "kind: Pod\n"},
    "whatif": FORECAST,
    "block": {"ran": []},
    "branch": BRANCHED,
}

ALL = "200 200 200 200 200 200"  # everybody
IN = "200 200 200 200 200 403"  # whoever has an account or is a guest, over the API
MINE = "200 404 404 404 404 404"  # the owner; to others it is not there
WATCHED = "200 404 200 404 404 404"  # instructors may look, too
STAFF = "302 302 302 200 302 302"  # the admin: everybody else is sent to the log-in page
TEACHER = "403 403 200 403 403 302"  # instructors
API_WATCHED = "200 404 200 404 404 403"  # over the API, instructors may look
API_MINE = "200 404 404 404 404 403"  # over the API, the owner
STRANGER = "302 302 302 302 200 200"  # whoever is logged in is sent away
ACCOUNT = "200 200 200 200 302 302"  # whoever has an account
#: Route → verb → status by role, in the order of ROLES. Any other verb is refused to everybody. (A verb that Django's
#: admin and allauth do not know is GET to them.)
ROUTES: dict[str, dict[str, str]] = {
    "": {"GET": ALL},
    "lessons/<slug:slug>/": {"GET": ALL},
    "lessons/<slug:slug>/blocks/<int:number>/": {"POST": ALL},
    "lessons/<slug:slug>/blocks/complete/": {},  # this lesson has nothing to complete; test_beside.py
    "lessons/<slug:slug>/blocks/ready/": {"POST": ALL},
    "lessons/<slug:slug>/blocks/": {"POST": ALL},
    "search/": {"GET": ALL},
    "exams/": {"GET": ALL},
    "glossary/": {"GET": ALL},
    "style/": {"GET": ALL},
    "labs/<slug:slug>/": {"GET": ALL},
    "review/": {"GET": ALL},
    "runs/<uuid:run_id>/": {"GET": MINE},
    "runs/<uuid:run_id>/after/": {"GET": MINE},
    "runs/<uuid:run_id>/state/": {"GET": WATCHED},
    "runs/<uuid:run_id>/check/": {"POST": MINE},
    "runs/<uuid:run_id>/written/": {"GET": WATCHED},
    "runs/<uuid:run_id>/takehome/": {"GET": WATCHED},
    "runs/<uuid:run_id>/appeal/": {"POST": MINE},
    "runs/<uuid:run_id>/hint/": {"POST": "409 404 404 404 404 404"},
    "runs/<uuid:run_id>/apply/": {"POST": MINE},
    "runs/<uuid:run_id>/diff/": {"POST": MINE},
    "runs/<uuid:run_id>/lint/": {"POST": MINE},
    "runs/<uuid:run_id>/clock/": {"GET": WATCHED, "POST": MINE},
    "runs/<uuid:run_id>/why/": {"GET": WATCHED},
    "runs/<uuid:run_id>/requests/": {"GET": WATCHED},
    "runs/<uuid:run_id>/past/": {"GET": WATCHED},
    "runs/<uuid:run_id>/timeline/": {"GET": WATCHED},
    "runs/<uuid:run_id>/whatif/": {"POST": MINE},
    "runs/<uuid:run_id>/branches/": {"GET": WATCHED, "POST": MINE, "PUT": MINE, "DELETE": MINE},
    "runs/<uuid:run_id>/files/": {"GET": WATCHED, "PUT": MINE, "POST": MINE, "DELETE": MINE},
    "runs/<uuid:run_id>/preview/": {"POST": MINE},
    "runs/<uuid:run_id>/reset/": {"POST": MINE},
    "runs/<uuid:run_id>/stop/": {"POST": MINE},
    "runs/<uuid:run_id>/kubeconfig/": {"GET": MINE, "POST": MINE},
    "preview/<str:token>/": {},  # whoever has a signed address; test_previews.py
    "preview/<str:token>/<path:path>": {},
    "grades/": {"GET": TEACHER},
    "grades/<int:user_id>/<slug:slug>/": {"GET": TEACHER},
    "grades/runs/<uuid:run_id>/": {"GET": TEACHER},
    "grades/runs/<uuid:run_id>/kubeconfig/": {"GET": TEACHER},
    "grades/appeals/<int:appeal_id>/": {"GET": TEACHER},
    "grades/appeals/<int:appeal_id>/read/": {},
    "grades/grades.csv": {"GET": TEACHER},
    "classes/": {"GET": ACCOUNT},
    "classes/<int:class_id>/": {"GET": "404 404 200 404 404 302"},
    "accounts/tokens/": {"GET": ACCOUNT, "POST": "400 400 400 400 302 302"},
    "accounts/tokens/<int:token_id>/revoke/": {},
    "accounts/login/": {"GET": STRANGER, "POST": STRANGER, "PUT": STRANGER},
    "accounts/logout/": {"GET": "200 200 200 200 200 302"},
    "accounts/inactive/": {"GET": ALL},
    "accounts/signup/": {"GET": STRANGER, "POST": STRANGER, "PUT": STRANGER},
    "accounts/reauthenticate/": {"GET": ACCOUNT, "POST": ACCOUNT, "PUT": ACCOUNT},
    "accounts/email/": {"GET": ACCOUNT},
    "accounts/confirm-email/": {"GET": ALL},
    "accounts/password/change/": {"GET": ACCOUNT, "POST": ACCOUNT, "PUT": ACCOUNT},
    "accounts/password/set/": {},
    "accounts/password/reset/": {"GET": ALL, "POST": ALL, "PUT": ALL},
    "accounts/login/code/confirm/": {},
    "accounts/^confirm-email/(?P<key>[-:\\w]+)/$": {"GET": ALL},
    "accounts/password/reset/key/done/": {"GET": ALL},
    "accounts/^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$": dict.fromkeys(VERBS, ALL),
    "accounts/password/reset/done/": {"GET": ALL},
    "i18n/setlang/": {},
    "api/schema/": {"GET": ALL},
    "api/docs/": {"GET": ALL},
    "api/v1/labs/": {"GET": ALL},
    "api/v1/labs/<slug:slug>/": {"GET": ALL},
    "api/v1/labs/<slug:slug>/submissions/": {"GET": IN, "POST": "400 400 400 400 400 403"},
    "api/v1/labs/<slug:slug>/submissions/<uuid:submission_id>/": {"GET": API_WATCHED},
    "api/v1/lessons/": {"GET": ALL},
    "api/v1/submissions/<uuid:submission_id>/": {"GET": API_WATCHED},
    "api/v1/grades/": {"GET": IN},
    "api/v1/appeals/": {"GET": IN},
    "api/v1/appeals/<int:appeal_id>/read/": {"POST": API_MINE},
    "api/v1/review/": {"GET": IN},
    "api/v1/review/repairs/": {"GET": IN},
    "api/v1/review/<slug:question>/": {"POST": "400 400 400 400 400 403"},
    "api/v1/classes/": {"GET": IN, "POST": "403 403 400 403 403 403"},
    "api/v1/classes/join/": {"POST": "400 400 400 400 403 403"},
    "api/v1/classes/<int:class_id>/": {"GET": "404 404 200 404 404 403"},
    "api/v1/runs/": {"GET": IN, "POST": "201 201 201 201 201 403"},
    "api/v1/runs/<uuid:run_id>/": {"GET": API_WATCHED, "DELETE": API_MINE},
    "api/v1/runs/<uuid:run_id>/token/": {"POST": API_MINE},
    "api/v1/runs/<uuid:run_id>/clock/": {"GET": API_WATCHED, "POST": API_MINE},
    "api/v1/runs/<uuid:run_id>/why/": {"GET": API_WATCHED},
    "api/v1/runs/<uuid:run_id>/requests/": {"GET": API_WATCHED},
    "api/v1/runs/<uuid:run_id>/past/": {"GET": API_WATCHED},
    "api/v1/runs/<uuid:run_id>/whatif/": {"POST": API_MINE},
    "api/v1/runs/<uuid:run_id>/branches/": {"GET": API_WATCHED, "POST": API_MINE},
    "api/v1/runs/<uuid:run_id>/hint/": {"POST": "400 404 404 404 404 403"},
    "api/v1/runs/<uuid:run_id>/steps/": {"GET": API_WATCHED},
    "api/v1/runs/<uuid:run_id>/takehome/": {"GET": API_WATCHED},
    "api/v1/runs/<uuid:run_id>/branches/<int:number>/": {"PATCH": API_MINE, "DELETE": API_MINE},
    "api/v1/me/": {"GET": IN},
    "healthz": {"GET": ALL},
    "healthz/": {"GET": ALL},
    "readyz": {"GET": ALL},
    "readyz/": {"GET": ALL},
    "admin/": dict.fromkeys(VERBS, STAFF),
    "admin/login/": {"POST": "403 403 403 200 403 302", "PUT": "403 403 403 200 403 302"},
    "admin/logout/": dict.fromkeys(("POST",), STAFF),
    "admin/password_change/": dict.fromkeys(("GET", "POST", "PUT"), STAFF),
    "admin/password_change/done/": {"GET": STAFF},
    "admin/autocomplete/": {},
    "admin/jsi18n/": {"GET": STAFF},
    "admin/r/<path:content_type_id>/<path:object_id>/": {},
    "admin/auth/group/": dict.fromkeys(VERBS, STAFF),
    "admin/auth/group/add/": dict.fromkeys(VERBS, STAFF),
    "admin/auth/group/<path:object_id>/history/": dict.fromkeys(VERBS, STAFF),
    "admin/auth/group/<path:object_id>/delete/": dict.fromkeys(("GET", "PUT", "PATCH", "DELETE"), STAFF),
    "admin/auth/group/<path:object_id>/change/": dict.fromkeys(VERBS, STAFF),
    "admin/auth/group/<path:object_id>/": {},
    "admin/accounts/user/<id>/password/": dict.fromkeys(VERBS, STAFF),
    "admin/accounts/user/": dict.fromkeys(VERBS, STAFF),
    "admin/accounts/user/add/": dict.fromkeys(VERBS, STAFF),
    "admin/accounts/user/<path:object_id>/history/": dict.fromkeys(VERBS, STAFF),
    "admin/accounts/user/<path:object_id>/delete/": dict.fromkeys(("GET", "PUT", "PATCH", "DELETE"), STAFF),
    "admin/accounts/user/<path:object_id>/change/": dict.fromkeys(VERBS, STAFF),
    "admin/accounts/user/<path:object_id>/": {},
    "admin/accounts/classroom/": dict.fromkeys(VERBS, STAFF),
    "admin/accounts/classroom/add/": dict.fromkeys(VERBS, STAFF),
    "admin/accounts/classroom/<path:object_id>/history/": dict.fromkeys(VERBS, STAFF),
    "admin/accounts/classroom/<path:object_id>/delete/": dict.fromkeys(
        ("GET", "PUT", "PATCH", "DELETE"), STAFF
    ),
    "admin/accounts/classroom/<path:object_id>/change/": dict.fromkeys(VERBS, STAFF),
    "admin/accounts/classroom/<path:object_id>/": {},
    "admin/account/emailaddress/": dict.fromkeys(VERBS, STAFF),
    "admin/account/emailaddress/add/": dict.fromkeys(VERBS, STAFF),
    "admin/account/emailaddress/<path:object_id>/history/": {},
    "admin/account/emailaddress/<path:object_id>/delete/": {},
    "admin/account/emailaddress/<path:object_id>/change/": {},
    "admin/account/emailaddress/<path:object_id>/": {},
    "admin/^(?P<app_label>auth|accounts|account)/$": dict.fromkeys(VERBS, STAFF),
    "admin/(?P<url>.*)$": {},
}
#: Routes whose things belong to somebody, or are for some only: all verbs of these in every run of the suite.
GUARDED = tuple(
    route
    for route in ROUTES
    if route.startswith(("runs/", "grades/", "classes/", "accounts/tokens/", "api/v1/"))
)


def walk(resolver: Any, prefix: str = "") -> Iterator[str]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from walk(pattern, prefix + str(pattern.pattern))
        else:
            yield prefix + str(pattern.pattern)


@pytest.fixture(autouse=True)
def _host(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that answers everything."""

    async def call(run: Run, method: str, verb: str, data: Any = None, seconds: float = 0) -> Reply:
        return Reply(200, ANSWERS.get(verb, {}))

    async def told() -> AsyncIterator[Any]:
        yield {"ran": []}

    async def lines(run: Any, verb: str, data: Any, seconds: float) -> tuple[int, AsyncIterator[Any]]:
        return 200, told()

    monkeypatch.setattr(hosting, "call", call)
    monkeypatch.setattr(hosting, "lines", lines)


@pytest.fixture
def sessions(people: dict[str, User]) -> dict[str, str]:
    """Session keys of everyone who can be logged in."""
    people["staff"] = User.objects.create_superuser("keeper", password="secret-pass-4")
    found = {}
    for role in ROLES[:-1]:
        client = Client()
        client.force_login(people[role], backend="django.contrib.auth.backends.ModelBackend")
        found[role] = client.cookies["sessionid"].value
    return found


@pytest.fixture
def address(people: dict[str, User], run: Run, lab: Any) -> Any:
    """A route as an address: the owner's things, where it names any."""
    submission = Submission.objects.create(user=people["owner"], lab_slug=lab.slug, manifests="x")
    token = ApiToken.issue(people["owner"], "t")[0]
    group = Group.objects.create(name="g")
    classroom = classes.create(people["instructor"], "7b")
    result = {"id": "x", "title": {"en": "X"}, "state": "failed", "message": {"en": "No."}}
    Standing.objects.create(run=run, history=run.start, score=0, max_score=1, checks=[result], at=run.created)
    appeal = Appeal.objects.create(user=people["owner"], run=run, check_id="x", result=result, at=run.created)
    for number, parent in enumerate((None, 0)):
        Branch.objects.create(run=run, number=number, name="x", parent=parent)
    Run.objects.filter(pk=run.pk).update(branch=1)
    values = {
        "<uuid:run_id>": run.pk, "<uuid:submission_id>": submission.pk, "<int:token_id>": token.pk,
        "<int:number>": 0, "<slug:question>": "x",
        "<int:user_id>": people["owner"].pk,
        "<int:class_id>": classroom.pk,
        "<int:appeal_id>": appeal.pk,
        "<path:content_type_id>/<path:object_id>": "1/1", "<id>": people["owner"].pk,
        "(?P<app_label>auth|accounts|account)/$": "accounts/", "(?P<url>.*)$": "x/",
        "(?P<key>[-:\\w]+)/$": "x/", "(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$": "1-x/", "^": "",
    }  # fmt: skip

    def make(route: str) -> str:
        if "after" in route:
            run.move("passed")
        slug = lab.lesson_slug if route.startswith("lessons") else lab.slug
        target = group.pk if "group" in route else people["owner"].pk
        target = classroom.pk if "classroom" in route else target
        for name, value in {**values, "<slug:slug>": slug, "<path:object_id>": target}.items():
            route = route.replace(name, str(value))
        return f"/{route}{query_of(route)}"

    return make


def status_of(session: str, verb: str, path: str, body: Any) -> int:
    """One request, and nothing of it stays."""
    client = Client(raise_request_exception=False)
    if session:
        client.cookies["sessionid"] = session
    with transaction.atomic():
        if body is None:
            answer = client.generic(verb, path, "a=b", "application/x-www-form-urlencoded")
        else:
            answer = client.generic(verb, path, json.dumps(body), "application/json")
        transaction.set_rollback(True)
    return answer.status_code


def query_of(route: str) -> str:
    return QUERIES.get(route.rstrip("/").rpartition("/")[2], "")


def body_for(route: str) -> Any:
    """JSON for what takes JSON, None for forms."""
    if not route.startswith(("runs/", "api/")):
        return None
    return next((body for end, body in BODIES.items() if route.rstrip("/").endswith(end.rstrip("/"))), {})


def verdicts(sessions: dict[str, str], path: str, route: str) -> dict[str, str]:
    """Verb → statuses, without the verbs that are refused to everybody."""
    found = {}
    for verb in VERBS:
        row = [status_of(sessions.get(role, ""), verb, path, body_for(route)) for role in ROLES]
        if set(row) - REFUSALS:
            found[verb] = " ".join(map(str, row))
    return found


def test_every_route_is_listed() -> None:
    assert list(walk(get_resolver())) == list(ROUTES)


@pytest.mark.parametrize("route", GUARDED)
def test_guarded(sessions: dict[str, str], address: Any, route: str) -> None:
    path = address(route)
    for verb, row in ROUTES[route].items():
        found = [status_of(sessions.get(role, ""), verb, path, body_for(route)) for role in ROLES]
        assert " ".join(map(str, found)) == row, verb


@pytest.mark.slow
@pytest.mark.parametrize("route", ROUTES)
def test_every_verb(sessions: dict[str, str], address: Any, route: str) -> None:
    assert verdicts(sessions, address(route), route) == ROUTES[route]


@pytest.mark.parametrize("route", [route for route in ROUTES if "<uuid:" in route])
def test_a_guessed_id(sessions: dict[str, str], lab: Any, route: str) -> None:
    """What never was answers as what is not yours."""
    path = "/" + route.replace("<slug:slug>", lab.slug)
    for name in ("<uuid:run_id>", "<uuid:submission_id>"):
        path = path.replace(name, str(uuid.uuid4()))
    path = path.replace("<int:number>", "0")
    path += query_of(route)
    for verb, row in ROUTES[route].items():
        found = [status_of(sessions.get(role, ""), verb, path, body_for(route)) for role in ROLES]
        missing = ["404" if status in ("200", "400", "409") else status for status in row.split()]
        assert list(map(str, found)) == missing, verb
