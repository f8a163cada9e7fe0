"""Submissions over the API: every outcome is a result, every wrong request a 400, nothing a 5xx."""

from __future__ import annotations

import json
from typing import Any

import pytest
from accounts.models import ApiToken, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from grading import queue, services
from grading.models import Attempt, Submission
from runs import states

from labs.kit import catalog

POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: one}\nspec: {containers: [{name: c, image: nginx}]}\n"
URL = "/api/v1/labs/{}/submissions/"


@pytest.fixture
def api(people: dict[str, User]) -> Client:
    secret = ApiToken.issue(people["owner"], "t")[1]
    return Client(headers={"authorization": f"Bearer {secret}"})


def grade_due() -> None:
    """What a grading worker does with a ticket."""
    submission = queue.claim()
    if submission is not None:
        services.grade(submission)


@pytest.fixture
def graded_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The task runs where it is sent."""
    from celery import Celery

    monkeypatch.setattr(Celery, "send_task", lambda app, name, **_: grade_due())


def post(api: Client, lab: Any, manifests: str, query: str = "") -> Any:
    return api.post(URL.format(lab.slug) + query, {"manifests": manifests}, "application/json")


FORMS = [
    ("json", json.dumps({"manifests": POD}), "application/json"),
    ("yaml", POD, "application/yaml"),
    ("x-yaml", POD, "application/x-yaml"),
    ("text", POD, "text/plain; charset=utf-8"),
    ("form", "manifests=a%3A%201", "application/x-www-form-urlencoded"),
]


@pytest.mark.parametrize(("body", "kind"), [row[1:] for row in FORMS], ids=[row[0] for row in FORMS])
def test_taken_in(api: Client, lab: Any, body: str, kind: str) -> None:
    response = api.post(URL.format(lab.slug), body, kind)
    assert response.status_code == 202, response.content
    data = response.json()
    assert (data["state"], data["lab"], data["user"], data["score"]) == ("queued", lab.slug, "owner", None)
    assert response["Location"] == f"/api/v1/submissions/{data['id']}/"
    assert Submission.objects.get().manifests in (POD, "a: 1")


def test_files(api: Client, lab: Any) -> None:
    files = [SimpleUploadedFile(f"{name}.yaml", f"{name}: 1".encode()) for name in "ab"]
    assert api.post(URL.format(lab.slug), {"manifests": files}).status_code == 202
    assert Submission.objects.get().manifests == "a: 1\n---\nb: 1"


BAD = [
    ("no field", "{}", "application/json", "manifests: this field is required"),
    ("null", '{"manifests": null}', "application/json", "manifests: this field is required"),
    ("a number", '{"manifests": 1}', "application/json", "manifests: expected YAML text"),
    ("a list", "[1]", "application/json", "expected an object with the field manifests"),
    ("a string", '"x"', "application/json", "expected an object with the field manifests"),
    ("empty", '{"manifests": "  "}', "application/json", "manifests: the text is empty"),
    ("nothing", "", "application/yaml", "manifests: this field is required"),
    ("bad json", '{"manifests":', "application/json", "JSON parse error"),
    ("deep json", "[" * 100_000, "application/json", ""),
    ("nul", '{"manifests": "a\\u0000"}', "application/json", "manifests: the text holds NUL"),
    (
        "half a pair",
        '{"manifests": "\\ud800"}',
        "application/json",
        "manifests: the text holds NUL or broken",
    ),
    ("not utf-8", b"\xff\xfe", "application/yaml", "the body is not UTF-8 text"),
    ("too large", "#" * (1024 * 1024 + 1), "application/yaml", "manifests: at most 1048576 bytes are taken"),
    (
        "too large in json",
        json.dumps({"manifests": "#" * (1024 * 1024 + 1)}),
        "application/json",
        "manifests: at most",
    ),
]


@pytest.mark.parametrize(("body", "kind", "sentence"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_wrong_requests(api: Client, lab: Any, body: Any, kind: str, sentence: str) -> None:
    response = api.post(URL.format(lab.slug), body, kind)
    assert response.status_code == 400, response.content
    assert response.json()["error"].startswith(sentence)
    assert not Submission.objects.exists()


def test_another_type(api: Client, lab: Any) -> None:
    assert api.post(URL.format(lab.slug), "x", "image/png").status_code == 415


def test_an_unknown_lab(api: Client) -> None:
    response = api.post(URL.format("no-such-lab"), {"manifests": POD}, "application/json")
    assert (response.status_code, response.json()["error"]) == (404, "There is no lab “no-such-lab”.")


OUTCOMES = [
    ("not yaml", "a: [1\n", "failed", "BadRequest", ""),
    ("not a mapping", "just words", "failed", "BadRequest", "a manifest must be a mapping, found str"),
    (
        "an unknown kind", "apiVersion: v1\nkind: Pot\nmetadata: {name: x}", "failed", "NotFound",
        'no matches for kind "Pot" in version "v1"',
    ),
    ("no name", "apiVersion: v1\nkind: Pod", "failed", "BadRequest", "the Pod manifest needs metadata.name"),
    (
        "a rejected one",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\nspec: {replicas: -1, "
        "selector: {matchLabels: {a: b}},"
        " template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: nginx}]}}}",
        "failed", "Invalid",
        'Deployment.apps "x" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
    ),
    ("accepted but wrong", POD, "graded", None, None),
]  # fmt: skip


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("manifests", "state", "reason", "message"),
    [row[1:] for row in OUTCOMES],
    ids=[row[0] for row in OUTCOMES],
)
def test_outcomes(
    graded_at_once: None, api: Client, lab: Any, manifests: str, state: str, reason: str, message: str
) -> None:
    identity = post(api, lab, manifests).json()["id"]
    data = api.get(f"/api/v1/submissions/{identity}/").json()
    assert (data["state"], data["passed"]) == (state, False)
    assert data["max_score"] == lab.max_score
    assert [check["id"] for check in data["checks"]] == [check.id for check in lab.checks]
    assert data["lab_version"] == lab.version
    assert data["engine_version"]
    if reason is None:
        assert data["error"] is None
        assert data["state_hash"]
        assert data["seed"] == lab.seed
    else:
        assert data["score"] == 0
        assert data["error"]["reason"] == reason
        assert data["error"]["message"].startswith(message)
        assert data["error"]["status"]["kind"] == "Status"
        assert {check["state"] for check in data["checks"]} == {"failed"}
    attempt = Attempt.objects.get()
    assert (attempt.user.username, attempt.score, attempt.passed) == ("owner", data["score"], False)


@pytest.mark.django_db(transaction=True)
def test_wait_answers_directly(graded_at_once: None, api: Client, lab: Any) -> None:
    response = post(api, lab, POD, "?wait=30")
    assert (response.status_code, response.json()["state"]) == (200, "graded")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("wait", ["0.05", "nonsense", "-3", "nan", "0"])
def test_wait_in_vain(api: Client, lab: Any, wait: str) -> None:
    response = post(api, lab, POD, f"?wait={wait}")
    assert (response.status_code, response.json()["state"]) == (202, "queued")


@pytest.mark.django_db(transaction=True)
def test_language(graded_at_once: None, api: Client, lab: Any) -> None:
    identity = post(api, lab, POD).json()["id"]
    for language in ("en", "zh-hans"):
        data = api.get(f"/api/v1/submissions/{identity}/", headers={"accept-language": language}).json()
        assert data["checks"][0]["title"] == lab.checks[0].title[language]


def submission_of(people: dict[str, User], lab: Any, **fields: Any) -> Submission:
    return Submission.objects.create(user=people["owner"], lab_slug=lab.slug, manifests=POD, **fields)


def test_what_is_done_is_not_due(people: dict[str, User], lab: Any) -> None:
    submission_of(people, lab, state="graded", score=1, max_score=1, passed=True)
    grade_due()
    assert not Attempt.objects.exists()


def test_one_that_kills_its_workers_is_given_up(people: dict[str, User], lab: Any) -> None:
    submission = submission_of(people, lab, tries=queue.MAX_TRIES)
    grade_due()
    submission.refresh_from_db()
    assert (submission.state, submission.error["reason"]) == ("failed", "GraderLost")
    assert not Attempt.objects.exists()


OURS = [
    ("a bug of ours", RuntimeError("boom"), "InternalError", 0),
    ("out of memory", MemoryError(), "BudgetExceeded", 1),
]


@pytest.mark.parametrize(
    ("error", "reason", "attempts"), [row[1:] for row in OURS], ids=[row[0] for row in OURS]
)
def test_what_goes_wrong_inside_is_a_result(
    people: Any, lab: Any, monkeypatch: Any, error: Exception, reason: str, attempts: int
) -> None:
    def explode(*_: Any) -> Any:
        raise error

    monkeypatch.setattr(services, "evaluate", explode)
    submission = submission_of(people, lab)
    grade_due()
    submission.refresh_from_db()
    assert (submission.state, submission.error["reason"]) == ("failed", reason)
    assert Attempt.objects.count() == attempts


def test_another_lab_does_not_show_it(people: dict[str, User], api: Client, lab: Any) -> None:
    submission = submission_of(people, lab)
    assert api.get(f"/api/v1/labs/{lab.slug}/submissions/{submission.pk}/").status_code == 200
    assert api.get(f"/api/v1/labs/elsewhere/submissions/{submission.pk}/").status_code == 404


def test_the_same_submission_has_the_same_result(people: dict[str, User], lab: Any) -> None:
    """Also where the worker has booted the lab before: a fork is what a boot gives."""
    services._booted.cache_clear()
    hashes = [services.evaluate(lab, POD, 11).state_hash for _ in range(3)]
    assert len(set(hashes)) == 1


@pytest.mark.django_db(transaction=True)
def test_without_a_broker_it_waits(api: Client, lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from celery import Celery
    from kombu.exceptions import OperationalError

    def broken(*_: Any, **__: Any) -> None:
        raise OperationalError("no broker")

    monkeypatch.setattr(Celery, "send_task", broken)
    response = post(api, lab, POD)
    assert (response.status_code, response.json()["state"]) == (202, "queued")
    grade_due()  # the next ticket of any worker
    assert Submission.objects.get().state == "graded"


VARIED = "wrong-name-on-the-crate"
#: What the learner has, what the request names, the seed that counts.
VARIANTS = [
    ("nothing", None, "", 1),
    ("a run", 77, "", 77),
    ("another one, named", 77, "5", 5),
    ("a name alone", None, "0", 0),
]


@pytest.mark.parametrize(
    ("of_run", "named", "seed"), [row[1:] for row in VARIANTS], ids=[row[0] for row in VARIANTS]
)
def test_graded_in_the_learners_variant(
    api: Client, make_run: Any, monkeypatch: pytest.MonkeyPatch, of_run: int | None, named: str, seed: int
) -> None:
    lab = catalog.load().lab(VARIED)
    if of_run is not None:
        make_run(lab_slug=VARIED, seed=1_000, state=states.STOPPED)
        make_run(lab_slug=VARIED, seed=of_run)
        make_run("other", lab_slug=VARIED, seed=2_000)
    query = f"?seed={named}" if named else ""
    told = api.get(f"/api/v1/labs/{VARIED}/{query}").json()
    assert (told["seed"], told["files"]) == (seed, lab.variant(seed).files)
    assert post(api, lab, POD, query).json()["seed"] == seed
    asked: list[Any] = []

    def evaluate(lab: Any, manifests: str, seed: int) -> services.Outcome:
        asked.append((lab.values, seed))
        return services.Outcome("failed", services.unchecked(lab))

    monkeypatch.setattr(services, "evaluate", evaluate)
    grade_due()
    assert asked == [(lab.variant(seed).values, seed)]


@pytest.mark.parametrize("seed", ["-1", "x", "", "1.5", str(2**31), "٣"])
def test_a_seed_that_is_none(api: Client, lab: Any, seed: str) -> None:
    for answer in (api.get(f"/api/v1/labs/{lab.slug}/?seed={seed}"), post(api, lab, POD, f"?seed={seed}")):
        assert answer.status_code == 400
        assert "seed" in answer.content.decode()
    assert not Submission.objects.exists()


def test_a_lab_without_variants_has_one_cluster_for_all(api: Client, lab: Any, make_run: Any) -> None:
    make_run(seed=77)
    assert post(api, lab, POD, "?seed=5").json()["seed"] == lab.seed_for(None)
