"""A lesson's blocks on the cluster beside it: what they print, what came before them, how time goes, what is kept."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
import pytest
from asgiref.sync import async_to_sync
from course import beside as views
from django.test import Client, RequestFactory
from runs import hosting, services
from runs.host import beside
from runs.host.host import EngineHost
from runs.host.script import SCRIPT_OUTPUT
from runs.hosting import Reply
from runs.models import Run

from labs.kit import blocks, catalog

pytestmark = pytest.mark.django_db(transaction=True)

LESSON = "labels-and-selectors"
FILE, APPLY, ASK = 0, 1, 2
"""Its first blocks."""


@pytest.fixture
def host() -> Iterator[EngineHost]:
    host = EngineHost()
    host.start()
    yield host
    host.stop()


@pytest.fixture
def lesson_run(host: EngineHost, make_run: Callable[..., Run]) -> Run:
    run = make_run(state="requested", lab_slug=blocks.PREFIX + LESSON, speed=0.0)
    host.acquire(run.pk)
    return run


def asked(host: EngineHost, run: Run, number: Any) -> list[dict[str, Any]]:
    """The lines that come of asking for a block; the last is its answer."""
    return [json.loads(line) for line in ask(host, run, "block", {"block": number}).text.splitlines()]


def ask(host: EngineHost, run: Run, verb: str, data: Any) -> httpx.Response:
    request = httpx.Request("POST", f"{host.url}/{verb}/{run.pk}", json=data)
    for name, value in hosting.host_headers(host.name, "POST", f"/{verb}/{run.pk}", request.content):
        request.headers[name.decode()] = value.decode()
    with httpx.Client(timeout=120) as client:
        return client.send(request)


def test_blocks_build_on_one_another(host: EngineHost, lesson_run: Run) -> None:
    tried = asked(host, lesson_run, FILE)[-1]
    assert tried["ran"][0]["output"] == "pod/bed-1 created (server dry run)\n"
    assert tried["picture"]["pods"] == []
    answer = asked(host, lesson_run, ASK)[-1]
    assert [(ran["block"], ran["status"]) for ran in answer["ran"]] == [(APPLY, 0), (ASK, 0)]
    assert "bed-1" in answer["ran"][0]["output"]
    assert "bed-2" in answer["ran"][1]["output"]
    assert {pod["name"] for pod in answer["picture"]["pods"]} == {"bed-1", "bed-2", "bed-3"}
    assert [node["ready"] for node in answer["picture"]["nodes"]] == [True] * 3

    host.call(host.passivate(host.runs[lesson_run.pk]))
    host.acquire(lesson_run.pk)
    again = asked(host, lesson_run, ASK)[-1]
    assert [ran["block"] for ran in again["ran"]] == [ASK], "what has run is known after a sleep"


def test_what_a_block_prints_is_told_as_it_comes(
    host: EngineHost, lesson_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = "echo one; sleep 60; printf '\\033[31mt'; printf 'wo\\033[0m\\nthree'"
    monkeypatch.setattr(blocks, "of", lambda lesson: (blocks.Block(0, script, "", commands=True),))
    before = host.runs[lesson_run.pk].cluster.clock.now
    assert ask(host, lesson_run, "ready", {}).json() == {}
    assert host.runs[lesson_run.pk].cluster.clock.now == before, "nobody waits yet"
    *shown, answer = asked(host, lesson_run, 0)
    assert shown == [{"block": 0, "text": "one\n"}, {"block": 0, "text": "two\n"}]
    assert answer["ran"][0]["output"] == "one\ntwo\nthree"


def test_time_stands_until_a_block_runs(
    host: EngineHost, lesson_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(host, lesson_run, "block", {"block": APPLY})
    hosted = host.runs[lesson_run.pk]

    async def stands() -> bool:
        hosted.driver._grace_until = 0  # nobody waits any more
        return hosted.cluster.clock.now == hosted.now()

    assert host.call(stands())
    before = hosted.cluster.clock.now
    for action in ("pause", "resume", "speed"):
        assert ask(host, lesson_run, "clock", {"action": action, "speed": 2.0}).status_code == 409
    assert ask(host, lesson_run, "clock", {"action": "advance", "seconds": 60}).json()["speed"] == 0
    assert hosted.cluster.clock.now >= before + 60_000_000
    sleeping = blocks.Block(0, "sleep 600; date -u +%H:%M:%S", "", commands=True)
    monkeypatch.setattr(blocks, "of", lambda lesson: (sleeping,))
    before = hosted.cluster.clock.now
    answer = asked(host, lesson_run, 0)[-1]
    assert answer["ran"][0]["status"] == 0
    assert hosted.cluster.clock.now >= before + 600_000_000, "a sleep takes no time of the reader's"


@pytest.mark.parametrize(
    ("script", "status", "output", "cut", "late"),
    [
        pytest.param("echo a; false; echo b", 1, "a\n", False, False, id="it ends where a command fails"),
        pytest.param("seq 1 100000", 0, None, True, False, id="of much the beginning is kept"),
        pytest.param(
            "printf '\\033[33;1mWarning:\\033[0m x\\n'", 0, "Warning: x\n", False, False, id="no colours"
        ),
        pytest.param("read line", None, "", False, True, id="what waits for ever is stopped"),
    ],
)
def test_how_a_block_ends(
    host: EngineHost, lesson_run: Run, monkeypatch: pytest.MonkeyPatch,
    script: str, status: int | None, output: str | None, cut: bool, late: bool,
) -> None:  # fmt: skip
    monkeypatch.setattr(beside, "SECONDS", 1.0 if late else 60.0)
    monkeypatch.setattr(
        blocks,
        "of",
        lambda lesson: (blocks.Block(0, script, "", True), blocks.Block(1, "echo after", "", True)),
    )
    told = asked(host, lesson_run, 0)[-1]["ran"][0]
    assert (told["cut"], told["late"]) == (cut, late)
    assert len(told["output"]) <= SCRIPT_OUTPUT
    if status is not None:
        assert told["status"] == status
    if output is not None:
        assert told["output"] == output
    monkeypatch.setattr(beside, "SECONDS", 60.0)
    after = asked(host, lesson_run, 1)[-1]["ran"]
    assert after[-1]["output"] == "after\n", "the next one runs"


def test_a_block_that_fails_holds_up_what_follows(
    host: EngineHost, lesson_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    three = tuple(blocks.Block(n, ("true", "false", "true")[n], "", True) for n in range(3))
    monkeypatch.setattr(blocks, "of", lambda lesson: three)
    told = asked(host, lesson_run, 2)[-1]["ran"]
    assert [(ran["block"], ran["status"]) for ran in told] == [(0, 0), (1, 1)]


COPIES = (
    blocks.Block(0, "kind: x\n", "given.txt", False),
    blocks.Block(1, "kubectl create configmap one\necho own > mine.txt\n", "", True, name="one"),
    blocks.Block(2, "kubectl create configmap two\n", "", True),
    blocks.Block(
        3, "kubectl get configmaps -o name\nls -1\nkubectl delete configmap one\n", "", True, own="one"
    ),
    blocks.Block(4, "kubectl get configmaps -o name\nls -1\nsleep 3600\n", "", True, own=""),
    blocks.Block(5, "kubectl get configmaps -o name\n", "", True),
)
ROOT = "configmap/kube-root-ca.crt\n"


def test_what_runs_on_a_copy_does_not_mind_the_order(
    host: EngineHost, lesson_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "of", lambda lesson: COPIES)
    shown = {
        3: f"{ROOT}configmap/one\ngiven.txt\nmine.txt\n",
        4: f"{ROOT}given.txt\n",
        5: f"{ROOT}configmap/one\nconfigmap/two\n",
    }
    hosted = host.runs[lesson_run.pk]
    for number in (4, 5, 3, 3, 5):
        before = hosted.cluster.clock.now
        answer = asked(host, lesson_run, number)[-1]
        last = answer["ran"][-1]
        assert last["status"] == 0
        assert last["output"].startswith(shown[number])
        assert answer["copy"] == (number in (3, 4))
        if answer["copy"]:
            assert [ran["block"] for ran in answer["ran"]] == [number]
            assert hosted.cluster.clock.now - before < 3_600_000_000, "time there is not time here"
    assert len(host.tokens) == len(host.runs), "no copy is left"


def test_a_copy_of_what_failed_is_none(
    host: EngineHost, lesson_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = (blocks.Block(0, "false", "", True, name="a"), blocks.Block(1, "true", "", True, own="a"))
    monkeypatch.setattr(blocks, "of", lambda lesson: failing)
    told = asked(host, lesson_run, 1)[-1]["ran"]
    assert [(ran["block"], ran["status"]) for ran in told] == [(0, 1)]


GAP = "annotations"
"""A lesson that has its reader complete something: where a note belongs."""


@pytest.fixture
def gap_run(host: EngineHost, make_run: Callable[..., Run]) -> Run:
    run = make_run(state="requested", lab_slug=blocks.PREFIX + GAP, speed=0.0)
    host.acquire(run.pk)
    return run


def test_what_is_filled_in_runs_on_a_copy_as_often_as_it_is_tried(host: EngineHost, gap_run: Run) -> None:
    completion = catalog.load().lesson(GAP).completion
    assert completion is not None
    for fill, status, happened in (("labels", 1, 1), ("annotations", 0, 0), ("annotations", 0, 0)):
        answer = [json.loads(line) for line in ask(host, gap_run, "block", {"fill": fill}).text.splitlines()][
            -1
        ]
        (ran,) = answer["ran"]
        assert (ran["status"], completion.happened(ran["output"]), answer["copy"]) == (status, happened, True)
    assert len(host.tokens) == len(host.runs), "no copy is left"
    assert host.runs[gap_run.pk].cluster.list("pods", "default") == []


def test_what_cannot_be_filled_in_is_refused(
    host: EngineHost, gap_run: Run, make_run: Callable[..., Run]
) -> None:
    for fill in ("", "a\nb", None, 7, "x" * 201):
        assert ask(host, gap_run, "block", {"fill": fill}).status_code == 400, fill
    guided = make_run(state="requested", lab_slug=f"{blocks.PREFIX}pods", speed=0.0)
    host.acquire(guided.pk)
    assert ask(host, guided, "block", {"fill": "x"}).status_code == 404, "it has nothing to complete"


def test_the_page_s_end_of_what_is_filled_in(
    client_of: Callable[[str], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    printed = "pod/reel-7 created\nHarbour office, box 12"
    monkeypatch.setattr(views.hosting, "lines", answering(200, {"ran": [{"block": 1, "output": printed}]}))
    client = client_of("owner")
    address = f"/lessons/{GAP}/blocks/complete/"
    for body in ({"fill": ""}, {"fill": 7}, {}, [], "no JSON", {"fill": "x" * 201}):
        assert client.post(address, body, content_type="application/json").status_code == 400, body
    (told,) = lines_of(client.post(address, {"fill": "annotations"}, content_type="application/json"))
    assert told["happened"] == 0
    assert client.post("/lessons/pods/blocks/complete/").status_code == 404


@pytest.mark.parametrize("number", [-1, 99, "0", None, 3])
def test_no_such_block(host: EngineHost, lesson_run: Run, number: Any) -> None:
    assert ask(host, lesson_run, "block", {"block": number}).status_code == 404


def test_a_lab_has_no_blocks_and_a_lesson_no_checks(
    host: EngineHost, lesson_run: Run, make_run: Callable[..., Run]
) -> None:
    lab = make_run(state="requested")
    host.acquire(lab.pk)
    assert ask(host, lab, "block", {"block": 0}).status_code == 404
    assert ask(host, lesson_run, "check", {}).status_code == 409


def test_a_lesson_s_cluster_is_not_listed_among_the_runs_of_labs(
    client_of: Callable[[str], Client], make_run: Callable[..., Run]
) -> None:
    lab, lesson = make_run(), make_run(lab_slug=blocks.PREFIX + LESSON)
    client = client_of("owner")
    assert [run["id"] for run in client.get("/api/v1/runs/").json()["results"]] == [str(lab.pk)]
    assert client.get(f"/api/v1/runs/{lesson.pk}/").json()["lab"] == blocks.PREFIX + LESSON


def test_a_reader_keeps_the_clusters_of_the_last_lessons(people: dict[str, Any]) -> None:
    request = RequestFactory().post("/")
    request.user = people["guest"]
    lessons = catalog.load().lessons[: services.LESSONS_KEPT + 2]
    runs = [services.start_lesson(request, lesson, "en") for lesson in lessons]
    assert services.start_lesson(request, lessons[-1], "en").pk == runs[-1].pk, "one a lesson"
    live = Run.objects.owned_by(people["guest"]).live()
    assert {run.pk for run in live} == {run.pk for run in runs[-services.LESSONS_KEPT :]}
    assert {run.speed for run in live} == {0.0}


@pytest.mark.parametrize(
    ("printed", "happened"),
    [
        pytest.param("bed-1\nbed-3\nbed-3\n", 1, id="the second guess"),
        pytest.param("bed-3\n", 0, id="the first"),
        pytest.param(None, None, id="it was not run"),
    ],
)
def test_what_was_predicted_is_compared_with_what_was_printed(
    client_of: Callable[[str], Client],
    monkeypatch: pytest.MonkeyPatch,
    printed: str | None,
    happened: int | None,
) -> None:
    ran = [] if printed is None else [{"block": ASK, "output": printed}]
    answer = {"ran": [{"block": APPLY, "output": "bed-3"}, *ran]}
    monkeypatch.setattr(views.hosting, "lines", answering(200, answer))
    (told,) = lines_of(client_of("owner").post(f"/lessons/{LESSON}/blocks/{ASK}/"))
    assert told["happened"] == happened


def answering(status: int, *told: dict[str, Any], breaks: bool = False) -> Any:
    """A host that answers so."""

    async def each() -> AsyncIterator[dict[str, Any]]:
        for line in told:
            yield line
        if breaks:
            raise hosting.UnavailableError("hung up")

    async def lines(run: Run, verb: str, data: Any, seconds: float) -> tuple[int, AsyncIterator[Any]]:
        return status, each()

    return lines


def lines_of(response: Any) -> list[dict[str, Any]]:
    async def whole() -> bytes:
        return b"".join([part async for part in response.streaming_content])

    return [json.loads(line) for line in async_to_sync(whole)().splitlines()]


@pytest.mark.parametrize(
    ("breaks", "last"),
    [(False, {"ran": [], "happened": None}), (True, {"error": str(views.BROKEN_OFF)})],
    ids=["whole", "it breaks off"],
)
def test_what_is_printed_comes_first(
    client_of: Callable[[str], Client], monkeypatch: pytest.MonkeyPatch, breaks: bool, last: dict[str, Any]
) -> None:
    line = {"block": APPLY, "text": "bed-1\n"}
    end = [] if breaks else [{"ran": []}]
    monkeypatch.setattr(views.hosting, "lines", answering(200, line, *end, breaks=breaks))
    first, told = lines_of(client_of("owner").post(f"/lessons/{LESSON}/blocks/{APPLY}/"))
    assert first == line
    assert {**told, **last} == told


def test_what_a_host_refuses_is_refused(
    client_of: Callable[[str], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views.hosting, "lines", answering(409, {"error": "Another block is running."}))
    answer = client_of("owner").post(f"/lessons/{LESSON}/blocks/{APPLY}/")
    assert (answer.status_code, answer.json()) == (409, {"error": "Another block is running."})


def test_a_cluster_is_ready_before_the_click(
    client_of: Callable[[str], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    async def call(run: Run, method: str, verb: str, data: Any = None, seconds: float = 0) -> Reply:
        asked.append((run.lab_slug, method, verb))
        return Reply(200, {})

    monkeypatch.setattr(views.hosting, "call", call)
    client = client_of("owner")
    for _again in range(2):
        answer = client.post(f"/lessons/{LESSON}/blocks/ready/")
        assert len(answer.json()["token"]) == 64
    assert asked == [(f"lesson--{LESSON}", "POST", "ready")] * 2
    assert Run.objects.count() == 1


def test_the_page_s_end(client_of: Callable[[str], Client], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    async def lines(run: Run, verb: str, data: Any, seconds: float) -> tuple[int, AsyncIterator[Any]]:
        asked.append((run.lab_slug, verb, data))
        if data == {"block": ASK}:
            raise hosting.UnavailableError("no host")
        result: tuple[int, AsyncIterator[Any]] = await answering(200, {"ran": []})(run, verb, data, seconds)
        return result

    monkeypatch.setattr(views.hosting, "lines", lines)
    client = client_of("owner")
    (told,) = lines_of(client.post(f"/lessons/{LESSON}/blocks/{APPLY}/"))
    run = Run.objects.get()
    assert (told["ran"], told["clock"]) == ([], f"/runs/{run.pk}/clock/")
    assert len(told["token"]) == 64, "a guest's page goes on with it"
    assert told["happened"] is None, "nothing was asked before it"
    assert asked == [(f"lesson--{LESSON}", "block", {"block": APPLY})]
    for number, status in ((ASK, 503), (3, 404), (99, 404)):
        assert client.post(f"/lessons/{LESSON}/blocks/{number}/").status_code == status
    assert client.post("/lessons/nothing/blocks/0/").status_code == 404
    Run.objects.update(state="ready")
    assert client.post(f"/lessons/{LESSON}/blocks/").status_code == 200
    assert Run.objects.get().state == "requested"
