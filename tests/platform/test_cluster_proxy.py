"""The proxy in front of `/clusters/…`, against a host that is a small ASGI application in uvicorn."""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from config.doors import RefusedError
from django.db import OperationalError
from runs import hosting, registry
from runs.proxy.access import Decision
from runs.proxy.app import MAX_BODY, ClusterProxy, Target
from runs.proxy.status import TIMED_OUT
from runs.registry import Location
from runs.signing import SIGNATURE_HEADER, Verifier
from runs.upstream import UpstreamError

RUN = uuid.UUID("22222222-2222-4222-8222-222222222222")
OTHER, THIRD = (uuid.UUID(str(RUN).replace("2222", digits, 1)) for digits in ("3333", "4444"))


class FakeHost:
    """Answers with what it was asked, streams on `/watch`, can say that it does not hold the run."""

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []
        self.misdirect = 0
        self.hang = False
        self.hanging = threading.Event()
        self.hung_up = threading.Event()
        self.first_line_out = threading.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
            return
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        path = scope["raw_path"].decode() + (
            "?" + scope["query_string"].decode() if scope["query_string"] else ""
        )
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.seen.append({"method": scope["method"], "path": path, "headers": headers, "body": body})
        if self.misdirect:
            self.misdirect -= 1
            await self._answer(send, 421, b"{}")
        elif "/hang" in path and self.hang:
            self.hanging.set()
            await receive()  # until the client gives up
        elif "/watch" in path:
            await self._watch(receive, send)
        else:
            await self._answer(send, 201, json.dumps({"path": path, "size": len(body)}).encode())

    @staticmethod
    async def _answer(send: Any, status: int, body: bytes) -> None:
        headers = [(b"content-type", b"application/json"), (b"set-cookie", b"a=b"), (b"warning", b"299 - x")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _watch(self, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b'{"type":"ADDED"}\n', "more_body": True})
        self.first_line_out.set()
        await receive()  # disconnect
        self.hung_up.set()

    async def _websocket(self, scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept", "subprotocol": scope["subprotocols"][0]})
        message = await receive()
        await send({"type": "websocket.send", "bytes": b"echo " + message["bytes"]})
        await send({"type": "websocket.close", "code": 1000})


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[FakeHost, str]]:
    host = FakeHost()
    config = uvicorn.Config(
        host, host="127.0.0.1", port=0, lifespan="off", log_level="error", ws="websockets-sansio"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield host, f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(timeout=5)


@pytest.fixture
def host(served: tuple[FakeHost, str]) -> FakeHost:
    fake, url = served
    fake.seen.clear()
    fake.misdirect = 0
    fake.hang = False
    fake.hanging.clear()
    fake.hung_up.clear()
    fake.first_line_out.clear()
    registry.register(RUN, Location(url, 1, "fake"), 30)
    return fake


class OpenGate:
    async def check(self, run_id: uuid.UUID, credentials: Any) -> Decision:
        return Decision(200, 1)


def scope_of(
    method: str = "GET", path: str = f"/clusters/{RUN}/api/v1/pods", query: str = "", **more: Any
) -> Any:
    headers = {"host": "testserver", "authorization": "Bearer dd_x", **more.pop("headers", {})}
    return {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(),
        "query_string": query.encode(), "headers": [(n.encode(), v.encode()) for n, v in headers.items()], **more,
    }  # fmt: skip


class Client:
    """The other end of an ASGI connection."""

    def __init__(self, *body: bytes) -> None:
        chunks = list(body) or [b""]
        self.inbox: asyncio.Queue[Any] = asyncio.Queue()
        for index, chunk in enumerate(chunks):
            self.inbox.put_nowait(
                {"type": "http.request", "body": chunk, "more_body": index + 1 < len(chunks)}
            )
        self.sent: list[Any] = []

    async def receive(self) -> Any:
        return await self.inbox.get()

    async def send(self, message: Any) -> None:
        self.sent.append(message)

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.sent[0]["headers"])

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent[1:])


def ask(scope: Any, *body: bytes, gate: Any = None) -> Client:
    async def go() -> Client:
        proxy = ClusterProxy(gate or OpenGate())
        client = Client(*body)
        await proxy(scope, client.receive, client.send)
        await proxy.aclose()
        return client

    return asyncio.run(go())


def test_a_request_arrives_whole(host: FakeHost) -> None:
    scope = scope_of(
        "POST", query="fieldManager=a%2Fb&x=1",
        headers={"content-type": "application/json", "cookie": "sessionid=s", "x-remote-user": "root",
                 SIGNATURE_HEADER: "stolen"},
    )  # fmt: skip
    answer = ask(scope, b'{"a"', b":1}")
    seen = host.seen[0]
    assert answer.status == 201
    assert json.loads(answer.body) == {
        "path": f"/clusters/{RUN}/api/v1/pods?fieldManager=a%2Fb&x=1",
        "size": 7,
    }
    assert seen["body"] == b'{"a":1}'
    assert seen["headers"]["content-type"] == "application/json"
    assert not {"cookie", "authorization", "x-remote-user"} & set(seen["headers"])
    checked = Verifier("fake").check(seen["headers"][SIGNATURE_HEADER], "POST", seen["path"])
    assert checked == hashlib.sha256(b'{"a":1}').hexdigest()


def test_an_answer_loses_what_is_not_for_the_client(host: FakeHost) -> None:
    answer = ask(scope_of())
    assert answer.headers[b"warning"] == b"299 - x"
    assert b"set-cookie" not in answer.headers
    assert answer.headers[b"x-content-type-options"] == b"nosniff"


def test_escapes_in_the_path_survive(host: FakeHost) -> None:
    ask(scope_of(path=f"/clusters/{RUN}/api/v1/nodes/a%2Fb:10250/proxy/..%2f"))
    assert host.seen[0]["path"] == f"/clusters/{RUN}/api/v1/nodes/a%2Fb:10250/proxy/..%2f"


def test_a_token_in_the_path_is_not_passed_on(host: FakeHost) -> None:
    ask(scope_of(path=f"/clusters/{RUN}/t/ddr_abcdefgh/version"))
    assert host.seen[0]["path"] == f"/clusters/{RUN}/version"


def test_a_watch_streams_and_ends_with_its_client(host: FakeHost) -> None:
    async def go() -> Client:
        proxy, client = ClusterProxy(OpenGate()), Client()
        task = asyncio.ensure_future(
            proxy(scope_of(path=f"/clusters/{RUN}/watch"), client.receive, client.send)
        )
        while len(client.sent) < 2:
            await asyncio.sleep(0.005)
        client.inbox.put_nowait({"type": "http.disconnect"})
        await task
        assert await asyncio.to_thread(host.hung_up.wait, 5)
        return client

    client = asyncio.run(go())
    assert client.status == 200
    assert client.body == b'{"type":"ADDED"}\n'


SIZES = [
    ("at the limit", {"content-length": str(MAX_BODY)}, [b"x" * MAX_BODY], 201),
    ("announced too large", {"content-length": str(MAX_BODY + 1)}, [b""], 413),
    ("too large without saying so", {}, [b"x" * MAX_BODY, b"x"], 413),
    ("nonsense length", {"content-length": "-1"}, [b""], 413),
]


@pytest.mark.parametrize(
    ("headers", "body", "status"), [row[1:] for row in SIZES], ids=[row[0] for row in SIZES]
)
def test_sizes(host: FakeHost, headers: dict[str, str], body: list[bytes], status: int) -> None:
    answer = ask(scope_of("POST", headers=headers), *body)
    assert answer.status == status
    if status == 413:
        told = json.loads(answer.body)
        assert (told["kind"], told["reason"], told["code"]) == ("Status", "RequestEntityTooLarge", 413)
        assert host.seen == []


@pytest.mark.django_db(transaction=True)
def test_a_host_that_lost_the_run_is_asked_again_elsewhere(
    host: FakeHost, sent_tasks: list[Any], served: Any, make_run: Any
) -> None:
    make_run(pk=RUN)
    host.misdirect = 1

    async def scene() -> Client:
        async def rebuilt() -> None:
            while not sent_tasks:
                await asyncio.sleep(0.005)
            await asyncio.to_thread(registry.register, RUN, Location(served[1], 2, "fake"), 30)

        proxy, client = ClusterProxy(OpenGate()), Client(b"{}")
        await asyncio.gather(proxy(scope_of("POST"), client.receive, client.send), rebuilt())
        return client

    assert asyncio.run(scene()).status == 201
    assert sent_tasks == [("runs.tasks.boot_run", [str(RUN)])]
    assert [seen["method"] for seen in host.seen] == ["POST", "POST"]


@pytest.mark.django_db(transaction=True)
def test_a_dead_host_is_replaced(host: FakeHost, sent_tasks: list[Any], served: Any, make_run: Any) -> None:
    make_run(pk=RUN)
    registry.register(RUN, Location("http://127.0.0.1:9", 5, "dead"), 30)

    async def scene() -> Client:
        async def rebuilt() -> None:
            while not sent_tasks:
                await asyncio.sleep(0.005)
            await asyncio.to_thread(registry.register, RUN, Location(served[1], 6, "fake"), 30)

        proxy, client = ClusterProxy(OpenGate()), Client(b"{}")
        await asyncio.gather(proxy(scope_of("POST"), client.receive, client.send), rebuilt())
        return client

    assert asyncio.run(scene()).status == 201


HANGS = [
    ("reading: asked again elsewhere", "GET", "hang", 201, 2),
    ("writing: nobody knows whether it was done", "POST", "hang", 504, 1),
]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("method", "path", "status", "asked"), [row[1:] for row in HANGS], ids=[row[0] for row in HANGS]
)
def test_a_host_that_hangs_is_left_when_its_lease_has_run_out(
    host: FakeHost,
    served: Any,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    path: str,
    status: int,
    asked: int,
) -> None:
    monkeypatch.setattr(hosting, "DOUBT_SECONDS", 0.05)
    host.hang = True

    async def scene() -> Client:
        async def lease_runs_out() -> None:
            await asyncio.to_thread(host.hanging.wait, 5)
            await asyncio.sleep(0.2)
            host.hang = False
            await asyncio.to_thread(registry.register, RUN, Location(served[1], 2, "fake"), 30)

        proxy, client = ClusterProxy(OpenGate()), Client(b"{}")
        scope = scope_of(method, path=f"/clusters/{RUN}/{path}")
        await asyncio.gather(proxy(scope, client.receive, client.send), lease_runs_out())
        return client

    answer = asyncio.run(scene())
    assert (answer.status, len(host.seen)) == (status, asked)
    if status == 504:
        told = json.loads(answer.body)
        assert (told["reason"], told["message"]) == ("Timeout", TIMED_OUT)
        assert b"retry-after" not in answer.headers, "a client must not do it again by itself"


def test_a_watch_of_a_host_that_hangs_ends(host: FakeHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosting, "DOUBT_SECONDS", 0.05)

    async def scene() -> Client:
        proxy, client = ClusterProxy(OpenGate()), Client()
        watching = asyncio.ensure_future(
            proxy(scope_of(path=f"/clusters/{RUN}/watch"), client.receive, client.send)
        )
        while len(client.sent) < 2:
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.2)
        assert not watching.done(), "a watch may be silent for as long as its host is there"
        await asyncio.to_thread(registry.sync_redis().set, registry.KNOWN_KEY, "1")
        await asyncio.to_thread(registry.forget, RUN, 1)
        with pytest.raises(UpstreamError, match="no sign of life"):
            await asyncio.wait_for(watching, 5)
        return client

    assert asyncio.run(scene()).status == 200


MEMORIES = [
    ("its lease has run out", True, ["runs.tasks.boot_run"]),
    ("Redis has just lost everything", False, []),
]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("known", "tasks"), [row[1:] for row in MEMORIES], ids=[row[0] for row in MEMORIES])
def test_what_it_means_that_no_entry_is_there(
    host: FakeHost, sent_tasks: list[Any], settings: Any, make_run: Any, known: bool, tasks: list[str]
) -> None:
    settings.RUN_BOOT_WAIT_SECONDS = 1
    make_run(pk=RUN)

    async def scene() -> Location | None:
        location = await hosting.locate(RUN)
        hosting._known[RUN] = (location, 0.0)
        await registry.async_redis().flushdb()
        if known:
            await registry.async_redis().set(registry.KNOWN_KEY, "1")
        try:
            return await hosting.locate(RUN)
        except hosting.UnavailableError:
            return None

    found = asyncio.run(scene())
    assert sorted({name for name, _ in sent_tasks}) == tasks
    assert (found is None) == known


@pytest.mark.django_db
def test_no_host_at_all(settings: Any, make_run: Any) -> None:
    settings.RUN_BOOT_WAIT_SECONDS = 0
    run = make_run()
    from asgiref.sync import async_to_sync

    client = Client()
    proxy = ClusterProxy(OpenGate())
    async_to_sync(proxy)(scope_of(path=f"/clusters/{run.pk}/api"), client.receive, client.send)
    told = json.loads(client.body)
    assert (client.status, told["reason"]) == (503, "ServiceUnavailable")
    assert client.headers[b"retry-after"] == b"1"


DOORS = [
    ("no run in the path", "/clusters/", {}, 404),
    ("not an id", "/clusters/web-0/api", {}, 404),
    ("a half id", "/clusters/2222-22/api", {}, 404),
    ("a foreign host name", f"/clusters/{RUN}/api", {"host": "evil.example"}, 400),
]


@pytest.mark.parametrize(
    ("path", "headers", "status"), [row[1:] for row in DOORS], ids=[row[0] for row in DOORS]
)
def test_doors(path: str, headers: dict[str, str], status: int) -> None:
    answer = ask(scope_of(path=path, headers=headers))
    assert answer.status == status
    assert json.loads(answer.body)["kind"] == "Status"


ORIGINS = [
    ("a page of ours", "POST", {"origin": "http://testserver"}, 201),
    ("the browser vouches", "POST", {"sec-fetch-site": "same-origin"}, 201),
    ("another site", "POST", {"origin": "http://evil.example"}, 403),
    ("another site with our name in it", "POST", {"origin": "http://testserver.evil.example"}, 403),
    ("another port", "POST", {"origin": "http://testserver:8001"}, 403),
    ("another scheme", "POST", {"origin": "https://testserver"}, 403),
    ("another scheme on our port", "DELETE", {"origin": "https://testserver:80"}, 403),
    ("our port, spelled", "POST", {"origin": "http://testserver:80"}, 201),
    ("ours and another's", "POST", {"origin": "http://testserver, http://evil.example"}, 403),
    ("an opaque origin", "POST", {"origin": "null"}, 403),
    ("the browser warns", "DELETE", {"sec-fetch-site": "cross-site"}, 403),
    ("nobody vouches", "PATCH", {}, 403),
    ("reading needs no voucher", "GET", {}, 201),
]


@pytest.mark.parametrize(
    ("method", "headers", "status"), [row[1:] for row in ORIGINS], ids=[row[0] for row in ORIGINS]
)
def test_a_cookie_alone_changes_nothing(
    host: FakeHost, method: str, headers: dict[str, str], status: int
) -> None:
    scope = scope_of(method, headers={"cookie": "sessionid=s", **headers})
    scope["headers"] = [(name, value) for name, value in scope["headers"] if name != b"authorization"]
    assert ask(scope).status == status
    assert len(host.seen) == (1 if status == 201 else 0)


COMING = [
    ("of a run", "COMING_OF_RUN", [RUN, RUN], RUN),
    ("of a user's runs", "COMING_OF_USER", [RUN, OTHER], THIRD),
]


@pytest.mark.parametrize(
    ("limit", "runs", "refused"), [row[1:] for row in COMING], ids=[row[0] for row in COMING]
)
def test_how_many_half_sent_bodies_are_waited_for(
    host: FakeHost, limit: str, runs: list[uuid.UUID], refused: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"runs.proxy.app.{limit}", len(runs))
    proxy = ClusterProxy(OpenGate())  # whoever comes is user 1

    def scope(run: uuid.UUID) -> dict[str, Any]:
        return scope_of("POST", path=f"/clusters/{run}/api/v1/pods")

    async def begun() -> Any:
        clients = [Client() for _ in runs]
        for client in clients:
            client.inbox = asyncio.Queue()
            client.inbox.put_nowait({"type": "http.request", "body": b"x", "more_body": True})
        tasks = [
            asyncio.ensure_future(proxy(scope(run), client.receive, client.send))
            for run, client in zip(runs, clients, strict=True)
        ]
        while sum(proxy.half_sent.waited.values()) < 2 * len(runs):
            await asyncio.sleep(0)
        more = Client()
        more.inbox = asyncio.Queue()
        more.inbox.put_nowait({"type": "http.request", "body": b"x", "more_body": True})
        with pytest.raises(RefusedError) as refusal:
            await proxy(scope(refused), more.receive, more.send)
        for client in clients:  # the others' come in the end, and are counted no more
            client.inbox.put_nowait({"type": "http.disconnect"})
        await asyncio.gather(*tasks)
        return refusal.value.status

    assert asyncio.run(begun()) == 429
    assert not proxy.half_sent.waited


def test_a_websocket_is_carried(host: FakeHost) -> None:
    scope = scope_of(
        path=f"/clusters/{RUN}/api/v1/namespaces/default/pods/p/exec", subprotocols=["v5.channel.k8s.io"]
    )
    scope["type"] = "websocket"
    del scope["method"]

    async def go() -> Client:
        client = Client()
        client.inbox = asyncio.Queue()
        client.inbox.put_nowait({"type": "websocket.connect"})
        client.inbox.put_nowait({"type": "websocket.receive", "bytes": b"\x00ls"})
        await ClusterProxy(OpenGate())(scope, client.receive, client.send)
        return client

    assert asyncio.run(go()).sent == [
        {"type": "websocket.accept", "subprotocol": "v5.channel.k8s.io"},
        {"type": "websocket.send", "bytes": b"echo \x00ls"},
        {"type": "websocket.close", "code": 1000},
    ]


TARGETS = [
    (f"/clusters/{RUN}", "/"),
    (f"/clusters/{RUN}/", "/"),
    (f"/clusters/{RUN}/apis?limit=5", "/apis?limit=5"),
    (f"/clusters/{str(RUN).upper()}/api", "/api"),
]


@pytest.mark.parametrize(("path", "expected"), TARGETS)
def test_target(path: str, expected: str) -> None:
    raw, _, query = path.partition("?")
    target = Target.of({"raw_path": raw.encode(), "path": raw, "query_string": query.encode()})
    assert target is not None
    assert (target.run_id, target.path) == (RUN, expected)


def test_a_refused_websocket_says_why() -> None:
    path = f"/clusters/{RUN}/api/v1/namespaces/default/pods/p/exec"
    scope = {
        **scope_of(path=path, headers={"cookie": "sessionid=s", "origin": "http://evil.example"}),
        "type": "websocket",
    }
    scope["headers"] = [pair for pair in scope["headers"] if pair[0] != b"authorization"]
    scope["extensions"] = {"websocket.http.response": {}}

    async def go() -> Client:
        client = Client()
        client.inbox = asyncio.Queue()
        client.inbox.put_nowait({"type": "websocket.connect"})
        await ClusterProxy(OpenGate())(scope, client.receive, client.send)
        return client

    answer = asyncio.run(go())
    assert answer.sent[0]["type"] == "websocket.http.response.start"
    assert (answer.status, json.loads(answer.body)["reason"]) == (403, "Forbidden")


def test_without_the_database_nobody_gets_in(host: FakeHost) -> None:
    class BrokenGate:
        async def check(self, run_id: uuid.UUID, credentials: Any) -> Decision:
            raise OperationalError("connection refused")

    answer = ask(scope_of(), gate=BrokenGate())
    assert (answer.status, json.loads(answer.body)["reason"]) == (503, "ServiceUnavailable")
    assert host.seen == []
