"""Who gets into clusters and sockets, and what lists hold; every address of the site is in test_access_routes.py."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

import pytest
from accounts.models import ApiToken, User
from asgiref.sync import async_to_sync
from grading.models import Submission
from runs import hosting
from runs.models import Run
from runs.proxy import access
from runs.proxy.access import Credentials, Decision, decide
from runs.proxy.app import ClusterProxy
from runs.reading import reading_token
from runs.services import renew_token
from workspace.consumers import RunConsumer
from workspace.routing import websocket_urlpatterns

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


TAB = [("owner", True), ("other", False), ("instructor", True), ("guest", False), ("anonymous", False)]


def test_every_socket_is_listed() -> None:
    assert [str(pattern.pattern) for pattern in websocket_urlpatterns] == ["runs/<uuid:run_id>/socket/"]


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


#: What of a tab's socket is relayed to a learner's run, for whom; all else closes the socket.
WATCHING = [
    ("owner", {"ch": "terminal", "id": "1", "type": "open"}, True),
    ("owner", {"ch": "checks", "type": "follow"}, True),
    ("owner", {"ch": "map", "type": "watch"}, True),
    ("owner", {"ch": "ticker", "type": "follow"}, True),
    ("instructor", {"ch": "map", "type": "watch"}, True),
    ("instructor", {"ch": "ticker", "type": "follow", "on": True}, True),
    ("owner", {"ch": "traffic", "type": "follow", "on": True}, True),
    ("instructor", {"ch": "traffic", "type": "follow", "on": True}, True),
    ("instructor", {"ch": "terminal", "id": "1", "type": "open"}, False),
    ("instructor", {"ch": "terminal", "id": "1", "type": "input", "data": "x"}, False),
    ("instructor", {"ch": "checks", "type": "follow", "on": True}, False),
]


@pytest.mark.parametrize(("role", "frame", "relayed"), WATCHING)
def test_an_instructor_watches_the_map_alone(
    people: Any, run: Run, role: str, frame: dict[str, str], relayed: bool
) -> None:
    consumer = RunConsumer()
    consumer.scope = {
        "user": people[role], "url_route": {"kwargs": {"run_id": run.pk}}, "subprotocols": ["drydock.v1"]
    }  # fmt: skip
    said: list[Any] = []

    async def note(*values: Any, **named: Any) -> None:
        said.append(values or named)

    consumer.accept = consumer.close = consumer._serve_live = note
    consumer._pass_on = consumer._to_terminal = note

    async def scene() -> None:
        await consumer.connect()
        await asyncio.sleep(0)
        said.clear()
        await consumer.receive(json.dumps(frame))

    async_to_sync(scene)()
    assert (said == [{"code": 4400}]) is not relayed


ELSEWHERE = [
    ("another site", "/runs/{run}/socket/", "http://evil.example"),
    ("another port", "/runs/{run}/socket/", "http://testserver:8001"),
    ("another scheme", "/runs/{run}/socket/", "https://testserver"),
    ("no origin", "/runs/{run}/socket/", ""),
    ("a sandboxed frame", "/runs/{run}/socket/", "null"),
    ("no such socket", "/runs/{run}/other/", "http://testserver"),
    (
        "a cluster's, from another port",
        "/clusters/{run}/api/v1/namespaces/default/pods/x/exec",
        "http://testserver:1",
    ),
    (
        "a cluster's, from another scheme",
        "/clusters/{run}/api/v1/namespaces/default/pods/x/exec",
        "https://testserver",
    ),
    ("a cluster's, without origin", "/clusters/{run}/api/v1/namespaces/default/pods/x/exec", ""),
]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("path", "origin"), [row[1:] for row in ELSEWHERE], ids=[row[0] for row in ELSEWHERE]
)
def test_sockets_from_elsewhere(run: Run, client_of: Any, path: str, origin: str) -> None:
    cookie = f"sessionid={client_of('owner').cookies['sessionid'].value}".encode()
    headers = [(b"host", b"testserver"), (b"cookie", cookie)]
    if origin:
        headers.append((b"origin", origin.encode()))
    assert handshake(path.format(run=run.pk), headers) is False


#: What an instructor's key to a learner's run opens.
READING = [
    ("a list", "GET", "/api/v1/pods", True),
    ("a watch", "GET", "/api/v1/pods?watch=1", True),
    ("a log", "GET", "/api/v1/namespaces/default/pods/x/log", True),
    ("a Pod that is called exec", "GET", "/api/v1/namespaces/default/pods/exec", True),
    ("a write", "POST", "/api/v1/namespaces/default/pods", False),
    ("a patch", "PATCH", "/api/v1/namespaces/default/pods/x", False),
    ("a delete", "DELETE", "/api/v1/namespaces/default/pods/x", False),
    ("exec", "GET", "/api/v1/namespaces/default/pods/x/exec?command=sh", False),
    ("exec, spelled otherwise", "GET", "/api/v1/namespaces/default/pods/x/%65xec?command=sh", False),
    ("attach", "GET", "/api/v1/namespaces/default/pods/x/attach", False),
    ("port-forward", "GET", "/api/v1/namespaces/default/pods/x/portforward", False),
    ("a Service's page", "GET", "/api/v1/namespaces/default/services/x/proxy/a", False),
]


@pytest.mark.parametrize(
    ("method", "path", "allowed"), [row[1:] for row in READING], ids=[row[0] for row in READING]
)
def test_a_reading_key(
    people: Any, run: Run, monkeypatch: Any, settings: Any, method: str, path: str, allowed: bool
) -> None:
    from asgiref.testing import ApplicationCommunicator

    settings.ALLOWED_HOSTS = ["testserver"]
    reached: list[str] = []

    async def send(run_id: uuid.UUID, method: str, path: str, *more: Any) -> Any:
        reached.append(path)
        raise hosting.UnavailableError("no host in this test")

    monkeypatch.setattr(hosting, "send", send)
    key = reading_token(run, people["instructor"])
    head, _, query = f"/clusters/{run.pk}/t/{key}{path}".partition("?")

    async def scene() -> int:
        scope = {
            "type": "http", "method": method, "path": head, "raw_path": head.encode(),
            "query_string": query.encode(), "headers": [(b"host", b"testserver")],
        }  # fmt: skip
        proxy = ApplicationCommunicator(ClusterProxy(), scope)
        await proxy.send_input({"type": "http.request", "body": b"", "more_body": False})
        return int((await proxy.receive_output(5))["status"])

    monkeypatch.setattr(access, "_decide_in_thread", decide)
    assert async_to_sync(scene)() == (503 if allowed else 403)
    assert bool(reached) is allowed


def test_whose_reading_key_it_is(people: Any, run: Run, make_run: Any) -> None:
    teacher = people["instructor"]
    key = reading_token(run, teacher)
    assert decide(run.pk, Credentials(token=key)) == Decision(200, teacher.pk, reads_only=True)
    assert decide(make_run("other").pk, Credentials(token=key)).status == 401, "one run's only"
    forged = key.replace(f"ddv_{teacher.pk}_", f"ddv_{people['other'].pk}_")
    for wrong in (forged, key[:-1], "ddv_", "ddv_x_y", "ddv_" + "9" * 40 + "_x"):
        assert decide(run.pk, Credentials(token=wrong)).status == 401, wrong
    assert decide(run.pk, Credentials(token=reading_token(run, people["other"]))).status == 401, (
        "no instructor"
    )
    renew_token(run)
    assert decide(run.pk, Credentials(token=key)).status == 401, "the owner has renewed"
    key = reading_token(run, teacher)
    User.objects.filter(pk=teacher.pk).update(is_instructor=False)
    assert decide(run.pk, Credentials(token=key)).status == 401, "no instructor any more"


def test_a_renewed_token_ends_the_old_one(run: Run, client_of: Any) -> None:
    old = run.token
    renewed = client_of("owner").post(f"/api/v1/runs/{run.pk}/token/").json()["token"]
    assert decide(run.pk, Credentials(token=old)).status == 401
    assert decide(run.pk, Credentials(token=renewed)).status == 200
    kubeconfig = client_of("owner").post(f"/runs/{run.pk}/kubeconfig/")
    assert "attachment" in kubeconfig["Content-Disposition"]
    assert decide(run.pk, Credentials(token=renewed)).status == 401
    run.refresh_from_db()
    assert run.token in kubeconfig.content.decode()
    assert decide(run.pk, Credentials(token=run.token)).status == 200


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
