"""Any moment of a run, however far back: from the keyframes that were kept and the journal, as the run was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from runs import hosting, journal, keyframes
from runs.host import past, pasts
from runs.host.errors import HostError
from runs.host.host import EngineHost
from runs.host.hosted import HostedRun
from runs.journal import Moment
from runs.keyframes import State
from runs.models import Keyframe, Run

from cluster_engine.kube_apiserver import ADMIN, Request
from cluster_engine.sim import rfc3339, rfc3339_micro

pytestmark = pytest.mark.django_db(transaction=True)

MAPS = "/api/v1/namespaces/default/configmaps"


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[EngineHost]:
    monkeypatch.setattr("runs.host.framing.KEYFRAME_EVERY", 6)
    host = EngineHost()
    host.start()
    yield host
    host.stop()


class Life:
    """A run in which a ConfigMap a minute is made, and the hashes of its state on the way."""

    def __init__(self, host: EngineHost, run: Run) -> None:
        self.host, self.run = host, run
        self.hashes: dict[Moment, str] = {}
        host.acquire(run.pk)
        self.act({"action": "pause"})

    @property
    def hosted(self) -> HostedRun:
        return self.host.runs[self.run.pk]

    def act(self, data: dict[str, Any]) -> None:
        self.host.call(self.hosted.clock.act(data))

    def live(self, minutes: int) -> None:
        for _ in range(minutes):
            cluster = self.hosted.cluster
            name = f"m{cluster.journal.next_seq}"
            body = f'{{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"{name}"}}}}'.encode("ascii")
            headers = {"content-type": "application/json"}
            answer = self.host.call(self.hosted.app.respond(Request("POST", MAPS, [], headers, body, ADMIN)))
            assert answer.status == 201
            self.hashes[Moment(entry=cluster.journal.next_seq - 1)] = cluster.state_hash()
            self.act({"action": "advance", "seconds": 60})
            self.hashes[Moment(cluster.clock.now)] = cluster.state_hash()
            # A moment holds all that came in its microsecond.
            self.act({"action": "advance", "seconds": 0.5})

    def move(self) -> None:
        """To sleep, and up again, so that the cluster remembers nothing of before."""
        self.host.call(self.host.passivate(self.hosted))
        self.host.acquire(self.run.pk)

    def past(self, moment: Moment) -> Any:
        return self.host.call(self.host.pasts.of(self.run.pk, self.hosted.epoch, moment))

    def ask(self, **data: Any) -> Any:
        return self.host.call(self.hosted.past(data))


@pytest.fixture
def life(host: EngineHost, make_run: Callable[..., Run]) -> Life:
    life = Life(host, make_run(state="requested"))
    life.live(3)
    life.move()
    life.live(2)
    return life


ORDERS: dict[str, Callable[[list[Moment]], list[Moment]]] = {
    "forward": list,
    "backward": lambda moments: moments[::-1],
    "to and fro": lambda moments: [*moments[1::2], *moments[::2]],
}


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_every_moment_is_as_it_was(
    life: Life, order: Callable[[list[Moment]], list[Moment]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever is looked at first; from what is kept of others where that is nearer than a keyframe."""
    read: list[int] = []
    real = pasts.building.resumed
    monkeypatch.setattr(pasts.building, "resumed", lambda *args: (read.append(1), real(*args))[1])
    moments = order(list(life.hashes))
    assert {moment: life.past(moment).state_hash() for moment in moments} == life.hashes
    assert Keyframe.objects.filter(run=life.run).exists(), "how many is a matter of the machine's time"
    assert len(read) < len(moments), "some go on from another one that is near"


@pytest.mark.slow
def test_without_keyframes_all_is_lived_again(life: Life) -> None:
    Keyframe.objects.filter(run=life.run).update(data=b"rubbish")
    assert {moment: life.past(moment).state_hash() for moment in life.hashes} == life.hashes


def test_what_is_told_of_a_moment_that_the_cluster_has_forgotten(life: Life) -> None:
    span = life.ask()
    assert span["begin"] == rfc3339_micro(journal.begin(life.run.pk) or 0)
    marks = [mark for mark in span["marks"] if mark.get("text") == MAPS]
    assert len(marks) == 3, "the last two are remembered by the cluster itself"
    assert [mark["verb"] for mark in marks] == ["POST"] * 3
    then = life.ask(revision=str(marks[1]["revision"]))
    assert (
        len([each for each in then["objects"]["configmaps"] if each["metadata"]["name"].startswith("m")]) == 2
    )
    told = {(each["name"][:1], each["what"]) for each in then["since"] if each["kind"] == "ConfigMap"}
    assert told == {("m", "created")}
    at = life.ask(at=then["at"])
    assert (at["objects"], at["since"]) == (then["objects"], then["since"])


def test_a_write_that_the_cluster_has_forgotten_is_found_by_its_revision(life: Life) -> None:
    ends = [moment for moment in life.hashes if not moment.entry]
    made = {obj["metadata"]["name"]: obj for obj in life.past(ends[-1]).list("configmaps", "default")}
    names = sorted((name for name in made if name.startswith("m")), key=lambda name: int(name[1:]))
    revisions = [made[name]["metadata"]["resourceVersion"] for name in names]
    for place in (0, 4, 2, 1, 3):
        found = life.ask(revision=revisions[place])
        there = [obj["metadata"]["name"] for obj in found["objects"]["configmaps"]]
        assert [name for name in names if name in there] == names[: place + 1]
        assert len([each for each in found["since"] if each["kind"] == "ConfigMap"]) == 4 - place
    between = life.ask(revision=revisions[0], against_revision=revisions[2])
    assert [each["what"] for each in between["since"] if each["kind"] == "ConfigMap"] == ["created"] * 2


def test_a_revision_that_nobody_wrote_is_not_found(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    for searches in (past.SEARCHES, 0):
        monkeypatch.setattr(past, "SEARCHES", searches)
        with pytest.raises(HostError, match="No write of revision 1 is remembered"):
            life.ask(revision="1")


def test_two_moments_are_compared_whether_they_are_remembered_or_not(life: Life) -> None:
    times = [rfc3339_micro(moment.at_us) for moment in life.hashes if not moment.entry]
    for first, last, made in ((0, 2, 2), (2, 0, 2), (1, 4, 3), (3, 4, 1), (4, 4, 0)):
        found = life.ask(at=times[first], against=times[last])
        came = [each["what"] for each in found["since"] if each["kind"] == "ConfigMap"]
        assert (came, found["at"], found["against"]) == (["created"] * made, times[first], times[last])
    said = life.host.call(life.hosted.typed_time(["diff", times[1], times[3]]))
    assert said.splitlines()[0] == f"From {times[1]} to {times[3]}:"
    assert said.count("+ ConfigMap default/m") == 2
    with pytest.raises(ValueError, match="Nothing before"):
        life.host.call(life.hosted.typed_time(["diff", "1999-01-01T00:00:00Z"]))


def test_a_run_has_no_past_before_its_beginning(life: Life) -> None:
    for data in ({"at": "1999-01-01T00:00:00Z"}, {"revision": "-999"}):
        with pytest.raises(HostError) as refused:
            life.ask(**data)
        assert refused.value.status == 410


@pytest.mark.slow
def test_few_pasts_are_kept(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pasts, "PASTS_KEPT", 2)
    first, *others = life.hashes
    kept = life.past(first)
    assert life.past(first) is kept
    for moment in others:
        life.past(moment)
    assert len(life.host.pasts._kept) == 2
    assert life.past(first) is not kept
    monkeypatch.setattr(pasts, "BASES_KEPT", 1)
    for moment in reversed(life.hashes):
        life.past(moment)
    assert len(life.host.pasts._bases) == 1
    life.move()
    assert not life.host.pasts._kept
    assert not life.host.pasts._bases


def test_keyframes_are_thinned_and_counted(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyframes, "KEYFRAMES_KEPT", 4)
    monkeypatch.setattr(keyframes, "KEYFRAMES_BYTES", 1_000)
    journal.take_over(run.pk)
    for seq, cost in enumerate((1, 50, 1, 2, 50, 50, 50), start=1):
        keyframes.keep(run.pk, 1, State(seq, b"x" * 40, at_us=seq, cost_us=cost))
    rows = list(Keyframe.objects.filter(run=run).values_list("seq", "cost_us"))
    assert rows == [(1, 1), (4, 53), (6, 100), (7, 50)]
    keyframes.keep(run.pk, 1, State(8, b"x" * 900, at_us=8, cost_us=1))
    kept = Keyframe.objects.filter(run=run)
    assert [frame.seq for frame in kept] == [1, 8], "too large together, but the first and the last stay"
    assert Run.objects.get(pk=run.pk).kept_bytes == sum(len(frame.data) + len(frame.files) for frame in kept)


@pytest.mark.parametrize(
    ("costs", "place"),
    [([5, 1, 1], 1), ([0, 9, 1, 1, 9], 2), ([0, 1, 9, 2, 2], 3), ([0, 0, 0, 0], 1)],
    ids=["only one", "two that are near", "later", "all alike"],
)
def test_which_keyframe_is_missed_least(costs: list[int], place: int) -> None:
    assert keyframes.missed_least(costs) == place


def asked(life: Life, path: str, method: str = "GET", typed: bool = True) -> httpx.Response:
    """The Kubernetes API, as a terminal of the run asks it, or as the web tier does."""
    url = f"{life.host.url}/t/{life.hosted.token}" if typed else f"{life.host.url}/clusters/{life.run.pk}"
    request = httpx.Request(method, f"{url}{path}", json={} if method == "POST" else None)
    target = request.url.raw_path.decode("ascii")
    for name, value in hosting.host_headers(life.host.name, method, target, request.content):
        request.headers[name.decode("ascii")] = value.decode("ascii")
    with httpx.Client(timeout=60) as client:
        return client.send(request)


def maps(answer: httpx.Response) -> list[str]:
    found = [each["metadata"]["name"] for each in answer.json()["items"]]
    return sorted((name for name in found if name.startswith("m")), key=lambda name: int(name[1:]))


def test_the_past_answers_under_a_banner_and_is_not_changed(life: Life) -> None:
    now = maps(asked(life, MAPS))
    then = rfc3339(list(life.hashes)[3].at_us)
    banner = f'299 - "This is the past: {then}."'
    before = life.hosted.cluster.state_hash()
    for typed, prefix in ((False, f"/past/{quote(then)}"), (True, f"/past/{quote(then)}"), (True, "")):
        if not prefix:
            life.act({"action": "back", "at": then})
        answer = asked(life, f"{prefix}{MAPS}", typed=typed)
        assert (maps(answer), answer.headers["warning"]) == (now[:2], banner)
        refused = asked(life, f"{prefix}{MAPS}", "POST", typed=typed)
        assert (refused.status_code, refused.json()["message"]) == (
            403,
            "This is the past: it can be looked at, and not changed.",
        )
        path = f"{prefix}/api/v1/namespaces/kube-system/pods/kube-apiserver-control-plane"
        assert asked(life, f"{path}/log", typed=typed).status_code == 200
        assert asked(life, f"{path}/exec?command=ls", "POST", typed=typed).status_code in (400, 403)
    assert maps(asked(life, MAPS, typed=False)) == now, "who asks from elsewhere sees what is"
    with pytest.raises(ValueError, match="This is the past"):
        life.host.call(life.hosted.inject({"kind": "node/power", "node": "worker-1", "up": False}))
    life.act({"action": "return"})
    present = asked(life, MAPS)
    assert (maps(present), present.headers.get("warning")) == (now, None)
    assert life.hosted.cluster.state_hash() == before


@pytest.mark.parametrize(
    ("when", "status"), [("yesterday", 400), ("1999-01-01T00:00:00Z", 410)], ids=["no time", "before all"]
)
def test_a_past_that_there_is_not(life: Life, when: str, status: int) -> None:
    answer = asked(life, f"/past/{when}{MAPS}")
    assert (answer.status_code, answer.json()["kind"]) == (status, "Status")
