"""Grading through the API: real HTTP, a real token, real workers. Whatever is sent, the answer is a result or a 4xx."""

from __future__ import annotations

import uuid

import pytest

from cluster_engine.version import ENGINE_VERSION
from labs.kit import catalog

from .clients import Api, Visitor, log_ends, tracebacks
from .pages import MENDED

pytestmark = pytest.mark.stack

LAB = "declare-a-deployment"
SUBMISSIONS = f"/labs/{LAB}/submissions/"
MIB = 1024 * 1024
CHECKS = ["accepted", "image", "three-ready", "declared", "heals"]


@pytest.fixture(scope="module")
def learner(stack):
    before = log_ends(stack)
    visitor = Visitor(stack).sign_up()
    yield Api(stack, visitor.make_token())
    visitor.close()
    assert tracebacks(stack, before) == ""


def states_of(result):
    return {check["id"]: check["state"] for check in result["checks"]}


def config_map(value: str) -> str:
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: x}}\ndata: {value}\n"


ALIAS_BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefghij", "bcdefghijk", strict=True)
)
MISMATCHED = MENDED.replace("      labels:\n        app: web", "      labels:\n        app: website")

# ---- manifests that are graded: id, manifests, score, checks that fail ------------------------------------

GRADED = [
    ("right", MENDED, 7, []),
    ("right, twice in one stream", f"{MENDED}---\n{MENDED}", 7, []),
    ("wrong image", MENDED.replace("1.27", "1.72"), 2, ["image", "three-ready", "heals"]),
    ("two replicas", MENDED.replace("replicas: 3", "replicas: 2"), 2, ["three-ready", "declared", "heals"]),
    ("something else", config_map("{a: b}"), 0, CHECKS),
    (
        "a million replicas",
        MENDED.replace("replicas: 3", "replicas: 1000000"),
        4,
        ["three-ready", "declared"],
    ),
]


@pytest.mark.parametrize(
    ("manifests", "score", "failing"), [row[1:] for row in GRADED], ids=[row[0] for row in GRADED]
)
def test_graded(learner, manifests, score, failing):
    answer = learner.post(f"{SUBMISSIONS}?wait=30", {"manifests": manifests})
    assert answer.status_code == 200, answer.text
    result = answer.json()
    assert (result["state"], result["error"]) == ("graded", None)
    assert states_of(result) == {name: "failed" if name in failing else "passed" for name in CHECKS}
    assert (result["score"], result["max_score"], result["passed"]) == (score, 7, not failing)
    assert result["engine_version"] == ENGINE_VERSION
    assert result["seed"] == catalog.load().lab(LAB).seed
    assert len(result["state_hash"]) == 32
    for check in result["checks"]:
        assert bool(check["message"]) is (check["state"] == "failed"), check
        assert bool(check["hint"]) is (check["state"] == "failed"), check


# ---- manifests that fail: id, manifests, reason, code, message: Kubernetes' own ---------------------------

FAILED = [
    ("not YAML", "a: [1\n", "BadRequest", 400, "error converting YAML to JSON: yaml: line 1: did not find "),
    ("words", "just words", "BadRequest", 400, "a manifest must be a mapping, found str"),
    ("a list", "- 1\n- 2\n", "BadRequest", 400, "a manifest must be a mapping, found list"),
    ("no kind", "metadata: {name: x}", "BadRequest", 400, "Object 'Kind' is missing"),
    (
        "an unknown kind", MENDED.replace("kind: Deployment", "kind: Deploymint"), "NotFound", 404,
        'no matches for kind "Deploymint" in version "apps/v1"',
    ),
    (
        "an unknown version", MENDED.replace("apps/v1", "apps/v9"), "NotFound", 404,
        'no matches for kind "Deployment" in version "apps/v9"',
    ),
    (
        "rejected by the API server", MISMATCHED, "Invalid", 422,
        'Deployment.apps "web" is invalid: spec.template.metadata.labels: Invalid value: {"app":"website"}: '
        "`selector` does not match template `labels`",
    ),
    (
        "a negative number", MENDED.replace("replicas: 3", "replicas: -1"), "Invalid", 422,
        'Deployment.apps "web" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
    ),
    (
        "a namespace that is not there", MENDED.replace("name: web\n", "name: web\n  namespace: quay\n", 1),
        "NotFound", 404, 'namespaces "quay" not found',
    ),
    ("an alias bomb", ALIAS_BOMB, "BadRequest", 400, "error converting YAML to JSON: yaml: line "),
    (
        "1,000 levels", config_map("[" * 1000 + "]" * 1000), "BadRequest", 400,
        "error converting YAML to JSON: yaml: line 4: exceeded max depth of ",
    ),
    (
        "1,001 documents", "a: b\n---\n" * 1001, "BadRequest", 400,
        "error converting YAML to JSON: yaml: more than 1000 documents",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("manifests", "reason", "code", "message"), [row[1:] for row in FAILED], ids=[row[0] for row in FAILED]
)
def test_failed_in_kubernetes_own_words(learner, manifests, reason, code, message):
    answer = learner.post(f"{SUBMISSIONS}?wait=30", {"manifests": manifests})
    assert answer.status_code == 200, answer.text
    result = answer.json()
    assert (result["state"], result["score"], result["max_score"], result["passed"]) == (
        "failed",
        0,
        7,
        False,
    )
    assert states_of(result) == dict.fromkeys(CHECKS, "failed")
    assert result["error"]["reason"] == reason
    assert result["error"]["message"].startswith(message), result["error"]["message"]
    status = result["error"]["status"]
    assert (status["kind"], status["status"], status["code"]) == ("Status", "Failure", code)
    assert status["message"] == result["error"]["message"]
    assert result["engine_version"] == ENGINE_VERSION
    assert result["seed"] == catalog.load().lab(LAB).seed


# ---- requests that are wrong themselves: id, body, content type, status, sentence -------------------------

JSON, YAML = "application/json", "application/yaml"
REFUSED = [
    ("no body", b"", JSON, 400, "manifests: this field is required"),
    ("no YAML", b"", YAML, 400, "manifests: this field is required"),
    ("no field", b"{}", JSON, 400, "manifests: this field is required"),
    ("blank", b'{"manifests": " \\n"}', JSON, 400, "manifests: the text is empty"),
    ("bad JSON", b'{"manifests":', JSON, 400, "JSON parse error"),
    ("deep JSON", b"[" * 200_000, JSON, 400, "JSON parse error"),
    ("a number", b'{"manifests": 7}', JSON, 400, "manifests: expected YAML text"),
    ("objects", b'{"manifests": [{"kind": "Pod"}]}', JSON, 400, "manifests: expected YAML text"),
    ("a list", b"[1]", JSON, 400, "expected an object with the field manifests"),
    ("NUL", b'{"manifests": "a\\u0000"}', JSON, 400, "manifests: the text holds NUL"),
    ("not UTF-8", b"\xff\xfe\xfd", YAML, 400, "the body is not UTF-8 text"),
    ("a picture", b"\x89PNG", "image/png", 415, 'Unsupported media type "image/png"'),
    ("1 MiB + 1", b"#" * (MIB + 1), YAML, 400, f"manifests: at most {MIB} bytes are taken"),
    (
        "1 MiB + 1 in JSON", b'{"manifests": "' + b"#" * (MIB + 1) + b'"}', JSON, 400,
        f"manifests: at most {MIB} bytes are taken",
    ),
    ("5 MiB", b"#" * (5 * MIB), YAML, 413, "The request is larger than 4 MiB."),
]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "kind", "status", "sentence"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_refused(learner, body, kind, status, sentence):
    before = learner.get(SUBMISSIONS).json()
    answer = learner.post(f"{SUBMISSIONS}?wait=30", body, kind)
    assert answer.status_code == status, answer.text
    assert answer.json()["code"] == status
    assert answer.json()["error"].startswith(sentence)
    assert learner.get(SUBMISSIONS).json() == before


def test_one_mebibyte_is_taken(learner):
    answer = learner.post(f"{SUBMISSIONS}?wait=30", MENDED.encode().ljust(MIB, b"#"), YAML)
    assert (answer.status_code, answer.json()["score"]) == (200, 7)


# ---- what stays, and who sees it --------------------------------------------------------------------------


def test_the_same_manifests_have_the_same_hash_and_score(learner):
    results = [
        learner.post(f"{SUBMISSIONS}?wait=30", {"manifests": manifests}).json()
        for manifests in (MENDED, MENDED, MENDED.replace("name: nginx", "name: web"))
    ]
    assert [result["score"] for result in results] == [7, 7, 7]
    same, again, other = (result["state_hash"] for result in results)
    assert same == again
    assert other != same
    assert results[0]["id"] != results[1]["id"]


def test_without_wait_it_is_queued_and_its_address_tells_the_result(learner):
    answer = learner.post(SUBMISSIONS, {"manifests": MENDED})
    assert (answer.status_code, answer.json()["state"]) == (202, "queued")
    path = answer.headers["Location"].removeprefix("/api/v1")
    result = learner.get(f"{path}?wait=30").json()
    assert (result["id"], result["state"], result["score"]) == (answer.json()["id"], "graded", 7)


def test_who_sees_a_submission(stack, learner):
    ident = learner.post(f"{SUBMISSIONS}?wait=30", {"manifests": MENDED}).json()["id"]
    other = Visitor(stack).sign_up()
    teacher = Visitor(stack).sign_in(stack.instructor, stack.password)
    # As on a cluster's own API: no credentials is 403, wrong ones are 401.
    callers = {
        "owner": (learner, 200),
        "instructor": (Api(stack, teacher.make_token()), 200),
        "other": (Api(stack, other.make_token()), 404),
        "nobody": (Api(stack), 403),
        "wrong token": (Api(stack, "dd_nonsense"), 401),
    }
    found = {
        (name, path): caller.get(path.format(ident)).status_code
        for name, (caller, _) in callers.items()
        for path in ("/submissions/{}/", SUBMISSIONS + "{}/")
    }
    assert found == {(name, path): callers[name][1] for name, path in found}
    assert callers["other"][0].get(SUBMISSIONS).json() == []
    assert learner.get(f"/submissions/{uuid.uuid4()}/").status_code == 404
    assert learner.get(f"/labs/explore-the-components/submissions/{ident}/").status_code == 404
    assert Api(stack).post(SUBMISSIONS, {"manifests": MENDED}).status_code == 403


def test_grades(stack):
    visitor = Visitor(stack).sign_up()
    api = Api(stack, visitor.make_token())
    assert api.get("/grades/").json() == []
    for manifests in (MENDED.replace("1.27", "1.72"), MENDED, MISMATCHED):
        api.post(f"{SUBMISSIONS}?wait=30", {"manifests": manifests})
    # A request that was wrong is no attempt.
    assert api.post(SUBMISSIONS, {"manifests": ""}).status_code == 400
    (grade,) = api.get("/grades/").json()
    assert grade.pop("last_attempt")
    assert grade == {
        "user": visitor.username, "lab": LAB, "score": 7, "max_score": 7, "passed": True, "attempts": 3,
    }  # fmt: skip
    assert api.get("/grades/?user=instructor").json() == []
    teacher = Visitor(stack).sign_in(stack.instructor, stack.password)
    rows = Api(stack, teacher.make_token()).get(f"/grades/?user={visitor.username}").json()
    assert [(row["lab"], row["score"], row["attempts"]) for row in rows] == [(LAB, 7, 3)]
