"""The workspace's JSON endpoints: what is passed to the host, what is kept, how errors are told."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
from django.test import Client
from grading.models import Attempt
from runs import hosting
from runs.hosting import OverError, Reply, UnavailableError
from runs.models import JournalEntry, Run

from labs.kit import catalog

CHECK = {
    "id": "one",
    "title": {"en": "One", "zh-hans": "一"},
    "state": "failed",
    "score": 0,
    "max_score": 2,
    "message": {"en": "Expected a.", "zh-hans": "期望 a。"},
    "hint": {"en": "Look.", "zh-hans": "看。"},
}


class FakeHost:
    def __init__(self) -> None:
        self.calls: list[tuple[str, str, Any]] = []
        self.reply: Reply | Exception = Reply(200, {})

    async def call(self, run: Run, method: str, verb: str, data: Any = None, seconds: float = 0) -> Reply:
        self.calls.append((method, verb, data))
        if isinstance(self.reply, Exception):
            raise self.reply
        return self.reply


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> FakeHost:
    fake = FakeHost()
    monkeypatch.setattr(hosting, "call", fake.call)
    return fake


@pytest.fixture
def owner(client_of: Any) -> Client:
    client: Client = client_of("owner")
    return client


def post(client: Client, run: Run, verb: str, data: Any = None, **more: Any) -> Any:
    return client.post(f"/runs/{run.pk}/{verb}/", data or {}, "application/json", **more)


def report(passed: bool) -> dict[str, Any]:
    score = 2 if passed else 0
    check = {**CHECK, "state": "passed", "score": 2, "hint": {}, "message": {}} if passed else CHECK
    return {"score": score, "max_score": 2, "passed": passed, "checks": [check], "state_hash": "abc"}


LANGUAGES = [("en", "One", "Expected a."), ("zh-hans", "一", "期望 a。")]


@pytest.mark.parametrize(("language", "title", "message"), LANGUAGES)
def test_check_speaks_the_reader_s_language(
    owner: Client, run: Run, host: FakeHost, language: str, title: str, message: str
) -> None:
    host.reply = Reply(200, report(passed=False))
    answer = post(owner, run, "check", headers={"accept-language": language})
    assert answer.json() == {
        "score": 0,
        "max_score": 2,
        "passed": False,
        "checks": [
            {
                "id": "one",
                "title": title,
                "state": "failed",
                "score": 0,
                "max_score": 2,
                "message": message,
            }
        ],
    }


def test_apply_and_files(owner: Client, run: Run, host: FakeHost) -> None:
    body = {"path": "pod.yaml", "content": "kind: Pod"}
    host.reply = Reply(200, {"exit_code": 1, "stdout": "", "stderr": "error: …"})
    assert post(owner, run, "apply", body).json() == {"exit_code": 1, "stdout": "", "stderr": "error: …"}
    host.reply = Reply(200, {"files": []})
    assert owner.get(f"/runs/{run.pk}/files/").json() == {"files": []}
    owner.put(f"/runs/{run.pk}/files/", json.dumps(body), "application/json")
    names = {"path": "pod.yaml", "to": "box.yaml"}
    owner.post(f"/runs/{run.pk}/files/", json.dumps(names), "application/json")
    owner.delete(f"/runs/{run.pk}/files/", json.dumps({"path": "box.yaml"}), "application/json")
    assert host.calls == [
        ("POST", "apply", body),
        ("GET", "files", None),
        ("PUT", "files", body),
        ("POST", "files", names),
        ("DELETE", "files", {"path": "box.yaml"}),
    ]


BAD = [
    ("not json", "{", "The request is not valid JSON."),
    ("deep json", "[" * 100_000, "The request is not valid JSON."),
    ("a list", "[]", "The request must be a JSON object."),
    ("no path", '{"content": "x"}', "The field “path” is missing or not text."),
    ("a number", '{"path": "a", "content": 1}', "The field “content” is missing or not text."),
    ("an empty path", '{"path": "", "content": "x"}', "The file's path is empty or too long."),
    ("a long path", json.dumps({"path": "a" * 201, "content": "x"}), "The file's path is empty or too long."),
    ("nul", '{"path": "a", "content": "\\u0000"}', "The file holds characters that are not valid text."),
    (
        "half a pair",
        '{"path": "a", "content": "\\ud800"}',
        "The file holds characters that are not valid text.",
    ),
    (
        "a large file",
        json.dumps({"path": "a", "content": "x" * (256 * 1024 + 1)}),
        "The file is larger than 256 KiB.",
    ),
    ("a large request", '{"a": "' + "x" * (1024 * 1024) + '"}', "The request is larger than 1 MiB."),
]


@pytest.mark.parametrize(("body", "sentence"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_wrong_bodies(owner: Client, run: Run, host: FakeHost, body: str, sentence: str) -> None:
    answer = owner.post(f"/runs/{run.pk}/apply/", body, "application/json")
    assert (answer.status_code, answer.json()) == (400, {"error": sentence})
    assert host.calls == []


TROUBLE = [
    ("no host", UnavailableError("x"), 503),
    ("over", OverError("stopped"), 409),
    ("the host's own refusal", Reply(409, {"error": "A check is running already."}), 409),
]


@pytest.mark.parametrize(("reply", "status"), [row[1:] for row in TROUBLE], ids=[row[0] for row in TROUBLE])
def test_trouble(owner: Client, run: Run, host: FakeHost, reply: Any, status: int) -> None:
    host.reply = reply
    answer = post(owner, run, "check")
    assert answer.status_code == status
    assert list(answer.json()) == ["error"]
    assert not Attempt.objects.exists()


def test_wrong_method(owner: Client, run: Run) -> None:
    answer = owner.get(f"/runs/{run.pk}/check/")
    assert (answer.status_code, answer["Allow"]) == (405, "POST")


def test_state(owner: Client, run: Run) -> None:
    answer = owner.get(f"/runs/{run.pk}/state/")
    assert answer.json() == {"state": "ready", "message": "", "notice": ""}
    assert "no-store" in answer["Cache-Control"]


def test_waiting_for_a_host_asks_again(owner: Client, make_run: Any, sent_tasks: list[Any]) -> None:
    run = make_run(state="requested")
    for _ in range(3):
        assert owner.get(f"/runs/{run.pk}/state/").json()["state"] == "requested"
    assert sent_tasks == [("runs.tasks.boot_run", [str(run.pk)])]


@pytest.mark.django_db(transaction=True)
def test_reset(owner: Client, run: Run, sent_tasks: list[Any]) -> None:
    JournalEntry.objects.create(run=run, epoch=0, seq=0, at_us=0, kind="header", payload="{}")
    assert post(owner, run, "reset").json() == {"state": "requested"}
    run.refresh_from_db()
    assert (run.state, run.epoch) == ("requested", 1)
    assert not JournalEntry.objects.exists()
    assert sent_tasks == [("runs.tasks.boot_run", [str(run.pk)])]


def test_stop(owner: Client, run: Run) -> None:
    assert post(owner, run, "stop").json() == {"state": "stopped"}
    assert post(owner, run, "stop").json() == {"state": "stopped"}
    assert post(owner, run, "reset").status_code == 409
    assert owner.get(f"/runs/{run.pk}/kubeconfig/").status_code == 409


KUBECONFIGS = [
    ("http", False, "http://testserver/clusters/{run.pk}/t/{run.token}", {}),
    ("https", True, "https://testserver/clusters/{run.pk}", {"token": "{run.token}"}),
]


@pytest.mark.parametrize(
    ("secure", "server", "user"), [row[1:] for row in KUBECONFIGS], ids=[row[0] for row in KUBECONFIGS]
)
def test_kubeconfig(owner: Client, run: Run, secure: bool, server: str, user: dict[str, str]) -> None:
    import yaml

    answer = owner.get(f"/runs/{run.pk}/kubeconfig/", secure=secure)
    document = yaml.safe_load(answer.content)
    assert document["clusters"][0]["cluster"] == {"server": server.format(run=run)}
    assert document["users"][0]["user"] == {name: value.format(run=run) for name, value in user.items()}


def test_csrf(people: Any, run: Run) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(people["owner"], backend="django.contrib.auth.backends.ModelBackend")
    assert post(client, run, "stop").status_code == 403
    run.refresh_from_db()
    assert run.state == "ready"


def test_what_one_wrote_is_told_and_taken_home(owner: Client, run: Run, host: FakeHost) -> None:
    host.reply = Reply(200, {"manifests": "kind: Pod\n"})
    assert owner.get(f"/runs/{run.pk}/written/").json() == {"manifests": "kind: Pod\n"}
    answer = owner.get(f"/runs/{run.pk}/takehome/", headers={"accept-language": "zh-hans"})
    assert host.calls == [("GET", "written", None)] * 2
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{run.lab_slug}.zip"'
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        files = {name: archive.read(name).decode() for name in archive.namelist()}
    assert {f"{run.lab_slug}/{name}" for name in ("README.md", "start.yaml", "goal.yaml")} <= set(files)
    assert files[f"{run.lab_slug}/goal.yaml"] == "kind: Pod\n"
    title = catalog.load().lab(run.lab_slug).title["zh-hans"]
    assert files[f"{run.lab_slug}/README.md"].startswith(f"# {title}\n")
    told = owner.get(f"/api/v1/runs/{run.pk}/takehome/", headers={"accept-language": "zh-hans"})
    assert {f"{run.lab_slug}/{name}": text for name, text in told.json()["files"].items()} == files


@pytest.mark.parametrize("verb", ["written", "takehome"])
def test_why_nothing_can_be_told_is_told(owner: Client, run: Run, host: FakeHost, verb: str) -> None:
    host.reply = Reply(504, {"error": "No."})
    answer = owner.get(f"/runs/{run.pk}/{verb}/")
    assert (answer.status_code, answer.json()) == (504, {"error": "No."})
