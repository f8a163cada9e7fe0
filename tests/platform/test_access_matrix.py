"""Who gets what, for every role and every route that names a run. A route without a row fails."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from accounts.models import ApiToken, User
from api.urls import urlpatterns as api_patterns
from asgiref.sync import async_to_sync
from django.test import Client
from grading.models import Submission
from runs import hosting
from runs.hosting import Reply
from runs.models import Run
from runs.proxy.access import Credentials, decide
from runs.urls import urlpatterns as run_patterns

ROLES = ("owner", "other", "instructor", "guest", "anonymous")
REPORT = {"score": 0, "max_score": 2, "passed": False, "checks": []}

#: name → method, body, and the status for each role in the order of ROLES.
ROUTES: dict[str, tuple[str, Any, tuple[int, ...]]] = {
    "state": ("GET", None, (200, 404, 200, 404, 404)),
    "check": ("POST", {}, (200, 404, 404, 404, 404)),
    "apply": ("POST", {"path": "a.yaml", "content": "x"}, (200, 404, 404, 404, 404)),
    "files": ("GET", None, (200, 404, 200, 404, 404)),
    "files PUT": ("PUT", {"path": "a.yaml", "content": "x"}, (200, 404, 404, 404, 404)),
    "reset": ("POST", {}, (200, 404, 404, 404, 404)),
    "stop": ("POST", {}, (200, 404, 404, 404, 404)),
    "kubeconfig": ("GET", None, (200, 404, 404, 404, 404)),
    "workspace": ("GET", None, (200, 404, 404, 404, 404)),
    "after": ("GET", None, (200, 404, 404, 404, 404)),
}
PATHS = {"workspace": "", "files PUT": "files/"}
CASES = [
    (name, role, status)
    for name, (_m, _b, statuses) in ROUTES.items()
    for role, status in zip(ROLES, statuses, strict=True)
]


@pytest.fixture(autouse=True)
def _host(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that answers everything."""

    async def call(run: Run, method: str, verb: str, data: Any = None, seconds: float = 0) -> Reply:
        return Reply(200, REPORT if verb == "check" else {})

    monkeypatch.setattr(hosting, "call", call)


def send(client: Client, run_id: Any, name: str) -> int:
    method, body, _ = ROUTES[name]
    path = f"/runs/{run_id}/" + PATHS.get(name, f"{name}/")
    response = client.generic(method, path, b"" if body is None else json.dumps(body), "application/json")
    return response.status_code


@pytest.mark.parametrize(("name", "role", "status"), CASES, ids=[f"{name}-{role}" for name, role, _ in CASES])
def test_runs(make_run: Any, client_of: Callable[[str], Client], name: str, role: str, status: int) -> None:
    run = make_run(state="passed" if name == "after" else "ready")
    assert send(client_of(role), run.pk, name) == status


@pytest.mark.parametrize("name", ROUTES)
@pytest.mark.parametrize("role", ROLES)
def test_a_guessed_id(people: Any, client_of: Callable[[str], Client], name: str, role: str) -> None:
    assert send(client_of(role), uuid.uuid4(), name) == 404


def test_every_route_of_a_run_is_classified() -> None:
    assert {pattern.name for pattern in run_patterns} == {name.split()[0] for name in ROUTES}


CLUSTER = [
    ("owner's cookie", "owner", "cookie", 200),
    ("owner's API token", "owner", "token", 200),
    ("the run's own token", "owner", "run", 200),
    ("another's cookie", "other", "cookie", 404),
    ("another's API token", "other", "token", 404),
    ("another run's token", "other", "run", 401),
    ("an instructor's cookie", "instructor", "cookie", 404),
    ("a guest's cookie", "guest", "cookie", 404),
    ("nothing", "anonymous", "nothing", 403),
    ("a cookie that is no session", "anonymous", "stale", 403),
    ("a token that is none", "anonymous", "wrong", 401),
    ("basic authentication", "anonymous", "basic", 401),
]


def credentials_of(
    role: str, kind: str, people: dict[str, User], run: Run, make_run: Any, client_of: Any
) -> Credentials:
    if kind == "cookie":
        return Credentials(session=client_of(role).cookies["sessionid"].value)
    if kind == "token":
        return Credentials(token=ApiToken.issue(people[role], "t")[1])
    if kind == "run":
        return Credentials(token=(run if role == "owner" else make_run(role)).token)
    headers = {
        "nothing": {}, "stale": {"cookie": "sessionid=abcdefabcdefabcdefabcdefabcdefab"},
        "wrong": {"authorization": "Bearer dd_wrong"}, "basic": {"authorization": "Basic b3duZXI6eA=="},
    }  # fmt: skip
    return Credentials.of(headers[kind])


@pytest.mark.parametrize(
    ("role", "kind", "status"), [row[1:] for row in CLUSTER], ids=[row[0] for row in CLUSTER]
)
def test_clusters(
    people: Any, run: Run, make_run: Any, client_of: Any, role: str, kind: str, status: int
) -> None:
    credentials = credentials_of(role, kind, people, run, make_run, client_of)
    assert decide(run.pk, credentials).status == status
    # A run that never was answers as a run that is not yours.
    expected = {200: 404, 404: 404, 401: 401, 403: 403}[status]
    guessed = decide(uuid.uuid4(), credentials).status
    assert guessed == (401 if kind == "run" else expected)


@pytest.mark.parametrize("state", ["stopped", "failed"])
def test_a_run_that_is_over_has_no_cluster(make_run: Any, client_of: Any, state: str) -> None:
    run = make_run(state=state)
    cookie = Credentials(session=client_of("owner").cookies["sessionid"].value)
    assert decide(run.pk, cookie).status == 404
    assert decide(run.pk, Credentials(token=run.token)).status == 401


def handshake(path: str, headers: list[tuple[bytes, bytes]]) -> bool:
    """Whether a WebSocket is accepted."""
    from asgiref.testing import ApplicationCommunicator
    from config.asgi import application

    async def scene() -> bool:
        scope = {
            "type": "websocket", "path": path, "raw_path": path.encode(), "query_string": b"",
            "headers": headers, "subprotocols": ["drydock.v1"],
        }  # fmt: skip
        socket = ApplicationCommunicator(application, scope)
        await socket.send_input({"type": "websocket.connect"})
        answer = await socket.receive_output(5)
        await socket.send_input({"type": "websocket.disconnect", "code": 1000})
        await socket.wait(5)
        return bool(answer["type"] == "websocket.accept")

    return async_to_sync(scene)()


TAB = [("owner", True), ("other", False), ("instructor", False), ("guest", False), ("anonymous", False)]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("role", "accepted"), TAB, ids=[role for role, _ in TAB])
@pytest.mark.parametrize("guessed", [False, True], ids=["the run", "a guessed id"])
def test_the_tab_s_socket(
    run: Run, client_of: Any, monkeypatch: Any, role: str, accepted: bool, guessed: bool
) -> None:
    async def locate(run_id: uuid.UUID) -> Any:
        raise hosting.UnavailableError("no host in this test")

    monkeypatch.setattr(hosting, "locate", locate)
    cookies = client_of(role).cookies
    headers = [(b"origin", b"http://testserver"), (b"host", b"testserver")]
    if "sessionid" in cookies:
        headers.append((b"cookie", f"sessionid={cookies['sessionid'].value}".encode()))

    path = f"/runs/{uuid.uuid4() if guessed else run.pk}/socket/"
    assert handshake(path, headers) is (accepted and not guessed)


@pytest.mark.django_db(transaction=True)
def test_the_tab_s_socket_from_another_site(run: Run, client_of: Any) -> None:
    cookie = f"sessionid={client_of('owner').cookies['sessionid'].value}".encode()
    headers = [(b"origin", b"http://evil.example"), (b"host", b"testserver"), (b"cookie", cookie)]

    assert handshake(f"/runs/{run.pk}/socket/", headers) is False


#: name → method, and the status for each role.
API: dict[str, tuple[str, tuple[int, ...]]] = {
    "labs": ("/api/v1/labs/", (200, 200, 200, 200, 200)),
    "lab": ("/api/v1/labs/{lab}/", (200, 200, 200, 200, 200)),
    "lessons": ("/api/v1/lessons/", (200, 200, 200, 200, 200)),
    "lab_submissions": ("/api/v1/labs/{lab}/submissions/", (200, 200, 200, 200, 403)),
    "lab_submission": ("/api/v1/labs/{lab}/submissions/{submission}/", (200, 404, 200, 404, 403)),
    "submission": ("/api/v1/submissions/{submission}/", (200, 404, 200, 404, 403)),
    "grades": ("/api/v1/grades/", (200, 200, 200, 200, 403)),
    "runs": ("/api/v1/runs/", (200, 200, 200, 200, 403)),
    "run": ("/api/v1/runs/{run}/", (200, 404, 200, 404, 403)),
    "me": ("/api/v1/me/", (200, 200, 200, 200, 403)),
    "schema": ("/api/schema/", (200, 200, 200, 200, 200)),
}
API_CASES = [
    (name, role, status)
    for name, (_p, statuses) in API.items()
    for role, status in zip(ROLES, statuses, strict=True)
]


@pytest.mark.parametrize(
    ("name", "role", "status"), API_CASES, ids=[f"{name}-{role}" for name, role, _ in API_CASES]
)
def test_api(people: Any, run: Run, client_of: Any, lab: Any, name: str, role: str, status: int) -> None:
    submission = Submission.objects.create(user=people["owner"], lab_slug=lab.slug, manifests="x")
    path = API[name][0].format(lab=lab.slug, submission=submission.pk, run=run.pk)
    response = client_of(role).get(path)
    assert response.status_code == status
    if status >= 400:
        assert set(response.json()) == {"error", "code", "request_id"}


def test_every_route_of_the_api_is_classified() -> None:
    assert {pattern.name for pattern in api_patterns} == set(API)


def test_lists_hold_only_what_is_yours(people: Any, run: Run, client_of: Any, lab: Any) -> None:
    Submission.objects.create(user=people["owner"], lab_slug=lab.slug, manifests="x")
    for role, count in (("owner", 1), ("other", 0), ("instructor", 1)):
        client = client_of(role)
        assert len(client.get("/api/v1/runs/").json()["results"]) == count, role
        assert len(client.get(f"/api/v1/labs/{lab.slug}/submissions/").json()) == count, role


def test_only_the_owner_stops_over_the_api(run: Run, client_of: Any) -> None:
    assert client_of("other").delete(f"/api/v1/runs/{run.pk}/").status_code == 404
    assert client_of("instructor").delete(f"/api/v1/runs/{run.pk}/").status_code == 404
    answer = client_of("owner").delete(f"/api/v1/runs/{run.pk}/")
    assert (answer.status_code, answer.json()["state"]) == (200, "stopped")


GRADES = [("owner", 403), ("other", 403), ("instructor", 200), ("guest", 403), ("anonymous", 302)]


@pytest.mark.parametrize("path", ["/grades/", "/grades/grades.csv"])
@pytest.mark.parametrize(("role", "status"), GRADES, ids=[role for role, _ in GRADES])
def test_gradebook(people: Any, client_of: Any, role: str, status: int, path: str) -> None:
    assert client_of(role).get(path).status_code == status
