"""Whose cluster is it? Every way to a run, tried by everyone who might: on the running stack, with real sockets."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from .clients import SOCKET, Api, LabRun, Visitor, host_address, log_ends, open_socket, tracebacks

pytestmark = pytest.mark.stack

LAB = "explore-the-components"
EVIL = "http://quay.example"
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "desk"},
    "spec": {"containers": [{"name": "c", "image": "busybox:1.36", "command": ["sleep", "3600"]}]},
}
CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
EXEC = "/api/v1/namespaces/default/pods/desk/exec?command=echo&command=aboard&stdout=true"
CHANNELS = "v5.channel.k8s.io"


def config_map(name):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}


@dataclass
class Scene:
    """Two learners with a lab each, a stranger, an instructor; a random id for the guess."""

    owner: Visitor
    other: Visitor
    stranger: Visitor
    instructor: Visitor
    run: LabRun
    others_run: LabRun
    guess: str

    def place(self, role):
        """(visitor, run id) of a role."""
        if role == "guesser":
            return self.owner, self.guess
        return getattr(self, role), self.run.id


ROLES = ("other", "stranger", "instructor", "guesser")


@pytest.fixture(scope="module")
def scene(stack):
    before = log_ends(stack)
    owner = Visitor(stack).sign_up()
    other = Visitor(stack)  # a guest
    stranger = Visitor(stack)
    instructor = Visitor(stack).sign_in(stack.instructor, stack.password)
    # Cookies of the site, so that it is not the missing CSRF token that keeps a stranger out.
    stranger.http.get("/accounts/login/", headers={"Accept": "text/html"})
    run, others_run = owner.start(LAB), other.start(LAB)
    assert run.kube("POST", "/api/v1/namespaces/default/pods", json=POD).status_code == 201
    run.wait_for("/api/v1/namespaces/default/pods/desk", lambda pod: pod["status"].get("phase") == "Running")
    yield Scene(owner, other, stranger, instructor, run, others_run, str(uuid.uuid4()))
    run.stop()
    others_run.stop()
    assert tracebacks(stack, before) == ""


# ---- /runs/<id>/…: name, method, path, body, and the status for the owner and each of ROLES ---------------

FILE = {"path": "note.txt", "content": "intruder"}
RUNS = [
    ("page", "GET", "", None, 200, (404, 404, 404, 404)),
    ("state", "GET", "state/", None, 200, (404, 404, 200, 404)),
    ("files", "GET", "files/", None, 200, (404, 404, 200, 404)),
    ("kubeconfig", "GET", "kubeconfig/", None, 200, (404, 404, 404, 404)),
    ("save", "PUT", "files/", FILE, None, (404, 404, 404, 404)),
    ("check", "POST", "check/", {}, None, (404, 404, 404, 404)),
    ("apply", "POST", "apply/", FILE, None, (404, 404, 404, 404)),
    ("reset", "POST", "reset/", {}, None, (404, 404, 404, 404)),
    ("stop", "POST", "stop/", {}, None, (404, 404, 404, 404)),
]


def cases(table):
    """(row, role, status), each with an id; the owner's row too where it may be tried."""
    rows = []
    for name, *middle, own, statuses in table:
        tried = [("owner", own), *zip(ROLES, statuses, strict=True)]
        rows += [pytest.param(*middle, role, status, id=f"{name}-{role}") for role, status in tried if status]
    return rows


@pytest.mark.parametrize(("method", "path", "body", "role", "status"), cases(RUNS))
def test_runs(scene, method, path, body, role, status):
    visitor, ident = scene.place(role)
    answer = visitor.send(method, f"/runs/{ident}/{path}", **({} if body is None else {"json": body}))
    assert answer.status_code == status, answer.text[:500]
    if status == 404 and path:
        assert answer.json() == {"error": "There is no such lab run, or it is not yours."}


def test_nothing_of_that_had_an_effect(scene):
    files = scene.owner.http.get(f"/runs/{scene.run.id}/files/").json()["files"]
    assert "note.txt" not in [file["path"] for file in files]
    assert scene.owner.http.get(f"/runs/{scene.run.id}/state/").json()["state"] == "ready"


# ---- /clusters/<id>/… --------------------------------------------------------------------------------------

NONE = (404, 403, 404, 404)
CLUSTERS = [
    ("get", "GET", "/api/v1/namespaces", None, 200, NONE),
    ("version", "GET", "/version", None, 200, NONE),
    ("watch", "GET", "/api/v1/namespaces?watch=true&timeoutSeconds=1", None, 200, NONE),
    ("create", "POST", CONFIG_MAPS, "create", 201, NONE),
    ("delete", "DELETE", "/api/v1/namespaces/default/pods/none", None, 404, NONE),
    ("exec without an upgrade", "POST", EXEC, None, 400, NONE),
]


@pytest.mark.parametrize(("method", "path", "body", "role", "status"), cases(CLUSTERS))
def test_clusters(scene, method, path, body, role, status):
    visitor, ident = scene.place(role)
    more = {"json": config_map(f"by-{role}")} if body else {}
    answer = visitor.send(method, f"/clusters/{ident}{path}", **more)
    assert answer.status_code == status, answer.text[:500]
    if status >= 400:
        assert (answer.json()["kind"], answer.json()["code"]) == ("Status", status)
        # A run that is not yours is answered as one that never was.
        own = role == "owner"
        assert own or status == 403 or answer.json()["message"] == f'runs "{ident}" not found'


@pytest.mark.parametrize(
    ("bearer", "status"),
    [
        pytest.param("owner's API token", 200, id="owner"),
        pytest.param("owner's run token", 200, id="the run's own"),
        pytest.param("other run's token", 401, id="another run's"),
        pytest.param("instructor's API token", 404, id="instructor"),
        pytest.param("dd_guessed", 401, id="guessed API token"),
        pytest.param("ddr_guessed", 401, id="guessed run token"),
    ],
)
def test_bearer_tokens(stack, scene, bearer, status):
    token = bearer if bearer.startswith("dd") else tokens(scene)[bearer]
    path = f"/clusters/{scene.run.id}/api/v1/namespaces"
    answer = httpx.get(stack.url + path, headers={"Authorization": f"Bearer {token}"}, trust_env=False)
    assert answer.status_code == status, answer.text[:500]
    # A token decides alone: the owner's cookie beside it does not mend it.
    beside = scene.owner.http.get(path, headers={"Authorization": f"Bearer {token}"})
    assert beside.status_code == status
    socket = open_socket(
        stack, f"/clusters/{scene.run.id}{EXEC}", token=token, origin=None, subprotocol=CHANNELS
    )
    if status != 200:
        assert socket == status
        return
    assert isinstance(socket, ClientConnection), socket
    with socket:
        assert b"\x01aboard\n" in [bytes(frame) for frame in socket]


_TOKENS = {}


def tokens(scene):
    """Made once: a user may have ten."""
    if not _TOKENS:
        _TOKENS["owner's API token"] = scene.owner.make_token()
        _TOKENS["instructor's API token"] = scene.instructor.make_token()
        _TOKENS["owner's run token"] = run_token(scene.run)
        _TOKENS["other run's token"] = run_token(scene.others_run)
    return _TOKENS


def run_token(run):
    """From the kubeconfig for tools outside; over plain http it is a part of the address."""
    text = run.visitor.http.get(f"/runs/{run.id}/kubeconfig/").text
    return text.partition("/t/")[2].split()[0]


@pytest.mark.parametrize(
    ("token", "status"),
    [
        pytest.param("owner's run token", 200, id="right"),
        pytest.param("other run's token", 401, id="another run's"),
        pytest.param("ddr_0000000000000000000000000000", 401, id="guessed"),
        pytest.param("dd_0000000000000000000000000000", 401, id="guessed API token"),
    ],
)
def test_a_token_in_the_address(stack, scene, token, status):
    value = tokens(scene).get(token, token)
    url = f"{stack.url}/clusters/{scene.run.id}/t/{value}/api/v1/namespaces"
    answer = httpx.get(url, trust_env=False)
    assert answer.status_code == status, answer.text[:500]
    assert scene.owner.http.get(url).status_code == status  # the cookie beside it changes nothing
    guessed = httpx.get(url.replace(scene.run.id, scene.guess), trust_env=False)
    assert guessed.status_code == 401


# ---- what another site can make the owner's browser do -----------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({"Origin": EVIL}, 403, id="foreign origin"),
        pytest.param({"Origin": "null"}, 403, id="opaque origin"),
        pytest.param({}, 403, id="no origin"),
        pytest.param({"Sec-Fetch-Site": "cross-site"}, 403, id="cross-site"),
        pytest.param({"Sec-Fetch-Site": "same-site"}, 403, id="another port of the machine"),
        pytest.param({"Origin": EVIL, "Sec-Fetch-Site": "same-origin"}, 403, id="contradiction"),
        pytest.param({"Origin": "own"}, 201, id="own origin"),
        pytest.param({"Sec-Fetch-Site": "same-origin"}, 201, id="own page"),
    ],
)
def test_writes_with_the_cookie_alone(stack, scene, headers, status):
    name = f"csrf-{uuid.uuid4().hex[:8]}"
    sent = {key: stack.url if value == "own" else value for key, value in headers.items()}
    # As a page on another site would send it: a type that needs no preflight.
    answer = scene.owner.http.post(
        f"/clusters/{scene.run.id}{CONFIG_MAPS}", content=json.dumps(config_map(name)), headers=sent
    )
    assert answer.status_code == status, answer.text[:500]
    kept = scene.run.kube("GET", f"{CONFIG_MAPS}/{name}").status_code
    assert kept == (200 if status == 201 else 404)
    assert "access-control-allow-origin" not in answer.headers


def test_a_foreign_page_may_not_post_to_the_workspace(scene):
    path = f"/runs/{scene.run.id}/apply/"
    without = scene.owner.http.post(path, json=FILE, headers={"Origin": scene.owner.stack.url})
    assert without.status_code == 403  # no CSRF token
    foreign = scene.owner.send("POST", path, json=FILE, headers={"Origin": EVIL})
    assert foreign.status_code == 403


@pytest.mark.parametrize("host", ["quay.example", "127.0.0.1.quay.example"])
def test_another_host_name(scene, host):
    path = f"/clusters/{scene.run.id}/api/v1/namespaces"
    assert scene.owner.http.get(path, headers={"Host": host}).status_code == 400


# ---- WebSockets --------------------------------------------------------------------------------------------

#: role, origin, and the status of the handshake of a tab's socket and of exec's (101: it is opened).
SOCKETS = [
    pytest.param("owner", "own", 101, 101, id="owner"),
    pytest.param("owner", EVIL, 403, 403, id="owner's browser on a foreign page"),
    pytest.param("owner", None, 403, 403, id="no origin"),
    pytest.param("other", "own", 403, 404, id="other"),
    pytest.param("stranger", "own", 403, 403, id="stranger"),
    pytest.param("instructor", "own", 101, 404, id="instructor, who may watch the map"),
    pytest.param("guesser", "own", 403, 404, id="guesser"),
]


@pytest.mark.parametrize(("role", "origin", "tab", "_exec"), SOCKETS)
def test_the_tab_s_socket(stack, scene, role, origin, tab, _exec):
    visitor, ident = scene.place(role)
    path = f"/runs/{ident}/socket/"
    socket = open_socket(stack, path, cookies=visitor.cookies, origin=origin, subprotocol=SOCKET)
    if tab != 101:
        assert socket == tab
        return
    assert isinstance(socket, ClientConnection), socket
    with socket:
        said = json.loads(socket.recv(timeout=30))
        assert said == {"ch": "status", "type": "state", "state": "ready", "message": "", "branch": 0}


def test_what_is_refused_is_no_error_in_the_log(stack, scene):
    log, before = stack.var / "log" / "web.log", log_ends(stack)["web"]
    assert (
        open_socket(stack, f"/runs/{scene.run.id}/socket/", cookies=scene.other.cookies, origin="own") == 403
    )
    assert open_socket(stack, f"/clusters/{scene.run.id}{EXEC}", origin="own") == 403
    assert open_socket(stack, "/nothing/", origin="own") == 404
    assert httpx.get(stack.url, headers={"Host": "quay.example"}, trust_env=False).status_code == 400
    assert scene.owner.http.get("/grades/").status_code == 403
    said = log.read_text()[before:]
    assert "Forbidden" in said
    assert "ERROR" not in said


@pytest.mark.parametrize("channel", ["terminal", "checks"])
def test_an_instructor_at_the_tab_s_socket_watches_and_no_more(stack, scene, channel):
    path = f"/runs/{scene.run.id}/socket/"
    with open_socket(
        stack, path, cookies=scene.instructor.cookies, origin="own", subprotocol=SOCKET
    ) as socket:
        assert json.loads(socket.recv(timeout=30))["state"] == "ready"
        socket.send(json.dumps({"ch": "map", "type": "watch", "resources": {"nodes": ""}}))
        frames = (socket.recv(timeout=30) for _ in range(10))
        assert b'"ADDED"' in next(frame for frame in frames if isinstance(frame, bytes))
        socket.send(json.dumps({"ch": channel, "id": "1", "type": "open"}))
        with pytest.raises(ConnectionClosed):
            list(socket)  # what was still on its way
        assert socket.close_code == 4400


@pytest.mark.parametrize(("role", "origin", "_tab", "exec_"), SOCKETS)
def test_exec_socket(stack, scene, role, origin, _tab, exec_):
    visitor, ident = scene.place(role)
    path = f"/clusters/{ident}{EXEC}"
    socket = open_socket(stack, path, cookies=visitor.cookies, origin=origin, subprotocol=CHANNELS)
    if exec_ != 101:
        assert socket == exec_
        return
    assert isinstance(socket, ClientConnection), socket
    with socket:
        assert b"\x01aboard\n" in [bytes(frame) for frame in socket]


# ---- the REST API ------------------------------------------------------------------------------------------


def test_api(stack, scene):
    other = Visitor(stack).sign_up()
    callers = {
        "owner": (Api(stack, tokens(scene)["owner's API token"]), 200),
        "instructor": (Api(stack, tokens(scene)["instructor's API token"]), 200),
        "other": (Api(stack, other.make_token()), 404),
        "stranger": (Api(stack), 403),
        "wrong token": (Api(stack, "dd_guessed"), 401),
        "a run's token": (Api(stack, tokens(scene)["owner's run token"]), 401),
    }
    for name, (caller, status) in callers.items():
        assert caller.get(f"/runs/{scene.run.id}/").status_code == status, name
        assert caller.get(f"/runs/{scene.guess}/").status_code == (404 if status == 200 else status), name
    stops = {name: caller.http.delete(f"/runs/{scene.run.id}/").status_code for name, (caller, _) in
             callers.items() if name != "owner"}  # fmt: skip
    assert stops == {
        "instructor": 404,
        "other": 404,
        "stranger": 403,
        "wrong token": 401,
        "a run's token": 401,
    }
    assert callers["other"][0].get("/runs/").json()["results"] == []
    (own,) = callers["owner"][0].get("/runs/").json()["results"]
    assert (own["id"], own["state"]) == (scene.run.id, "ready")
    # The session is as good as a token for reading, and no better.
    assert scene.owner.http.get(f"/api/v1/runs/{scene.run.id}/").status_code == 200
    assert scene.other.http.get(f"/api/v1/runs/{scene.run.id}/").status_code == 404
    assert scene.owner.http.delete(f"/api/v1/runs/{scene.run.id}/").status_code == 403  # no CSRF token


# ---- behind the web tier: the engine host's own port -------------------------------------------------------


@pytest.mark.parametrize(
    "signature", [None, "", "1 2 3 4"], ids=["no signature", "an empty one", "a guessed one"]
)
def test_the_host_refuses_whoever_cannot_sign(stack, scene, signature):
    base = host_address(stack)
    headers = {} if signature is None else {"X-Drydock-Signature": signature}
    ident = scene.run.id
    with httpx.Client(base_url=base, headers=headers, trust_env=False) as client:
        found = {
            f"{method} {path}": client.request(method, path).status_code
            for method, path in (
                ("GET", f"/clusters/{ident}/api/v1/namespaces"), ("POST", f"/clusters/{ident}{CONFIG_MAPS}"),
                ("POST", f"/check/{ident}"), ("POST", f"/apply/{ident}"), ("GET", f"/files/{ident}"),
                ("POST", f"/stop/{ident}"), ("GET", "/"), ("GET", "/t/short/api"),
                ("GET", "/t/" + "x" * 43 + "/api/v1/namespaces"),
            )
        }  # fmt: skip
    assert set(found.values()) == {401}, found
    assert open_socket(stack, f"/terminal/{ident}", base=base, origin=None) == 401
    assert open_socket(stack, f"/live/{ident}", base=base, origin=None) == 401
    assert open_socket(stack, f"/clusters/{ident}{EXEC}", base=base, origin=None) == 401
    assert scene.run.kube("GET", "/version").status_code == 200  # nobody stopped it


def test_the_terminals_own_token_opens_its_run_alone(stack, scene):
    base = host_address(stack)
    assert scene.others_run.kube("POST", CONFIG_MAPS, json=config_map("others")).status_code == 201
    with scene.run.terminal() as terminal:
        shown = terminal.run("kubectl get --raw /version -v=6")
        found = re.search(r"/t/([A-Za-z0-9_-]{40,})/version", shown.replace("\r\n", ""))
        assert found, shown
        token = found[1]
        with httpx.Client(base_url=base, trust_env=False) as client:
            assert client.get(f"/t/{token}/version").status_code == 200
            changed = token[:-1] + ("A" if token[-1] != "A" else "B")
            assert client.get(f"/t/{changed}/version").status_code == 401
            # Its cluster is all there is behind it, however the path is written.
            for path in (
                f"/clusters/{scene.others_run.id}{CONFIG_MAPS}/others",
                f"/../../clusters/{scene.others_run.id}{CONFIG_MAPS}/others",
                f"/..%2f..%2fclusters/{scene.others_run.id}{CONFIG_MAPS}/others",
                f"{CONFIG_MAPS}/others",
            ):
                answer = client.get(
                    httpx.URL(f"{base}/t/{token}").copy_with(raw_path=f"/t/{token}{path}".encode())
                )
                assert answer.status_code in (401, 404), (path, answer.text[:300])

        # From inside the terminal: the neighbours' doors, the web tier and Redis are out of kubectl's reach.
        ident = scene.others_run.id
        said = terminal.run(f"kubectl --server={base}/clusters/{ident} get cm others; echo status=$?")
        assert "status=1" in said, said
        assert "Unauthorized" in said or "logged in" in said, said
        said = terminal.run(f"kubectl --server={stack.url}/clusters/{ident} get cm others; echo status=$?")
        assert "status=1" in said, said
        assert "permission denied" in said or "not permitted" in said, said


# ---- when a run is over ------------------------------------------------------------------------------------


def test_a_stopped_run_is_closed_to_its_owner_too(stack, scene):
    visitor = Visitor(stack)
    run = visitor.start(LAB)
    token = run_token(run)
    assert run.kube("GET", "/version").status_code == 200
    run.stop()
    # At once: nobody waits for a cluster that will not come up (a boot is waited for 15 seconds).
    assert run.kube("GET", "/version", timeout=10).status_code == 404
    late = httpx.get(f"{stack.url}/clusters/{run.id}/t/{token}/version", trust_env=False)
    assert late.status_code in (401, 404)
    assert run.apply("pod.yaml", "x").status_code == 409
    socket = open_socket(stack, f"/runs/{run.id}/socket/", cookies=visitor.cookies, subprotocol=SOCKET)
    assert isinstance(socket, ClientConnection)
    with socket:
        said = json.loads(socket.recv(timeout=30))
        assert said == {"ch": "status", "type": "state", "state": "stopped", "message": "", "branch": 0}
