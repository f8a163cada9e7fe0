"""The clock of a run in its owner's hand, and what is told of what happened."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from django.utils import translation
from runs.clock import ACTIONS
from runs.happenings import expectation, sentence, with_sentence
from runs.host import clock
from runs.host.clock import RunClock, Setting
from runs.host.errors import HostError
from runs.host.predicting import NOTHING
from runs.hosting import Reply
from runs.journal import Moment

from cluster_engine.cluster import Cluster
from cluster_engine.serving import ClusterApp, Driver
from cluster_engine.sim import SECOND, rfc3339

WEB = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web"},
    "spec": {
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "c", "image": "nginx"}]},
        },
    },
}


class Run:
    """What the clock asks of its run."""

    def __init__(self) -> None:
        self.run_id = 7
        self.hurries = False
        self.cluster = Cluster(nodes=2, freezing=True)
        self.driver = Driver(self.cluster)
        self.app = ClusterApp(self.cluster, driver=self.driver)
        self.notes = self.tellings = self.stops = 0

    async def in_thread(self, fn: Any, *args: Any) -> Any:
        assert fn is clock._keep
        self.kept = args

    async def cluster_at(self, moment: Moment) -> Cluster:
        self.looked = moment
        return self.cluster.fork()

    async def note_time(self) -> None:
        self.notes += 1
        await self.app.note("clock", {})

    def told(self) -> None:
        self.tellings += 1

    def stood(self) -> None:
        self.stops += 1


def play(scene: Callable[[Run, RunClock], Awaitable[None]], speed: float = 1.0) -> None:
    async def whole() -> None:
        run = Run()
        run.driver.start()
        try:
            await scene(run, RunClock(run, Setting(speed)))
        finally:
            run.driver.stop()

    asyncio.run(whole())


def test_every_action_is_performed() -> None:
    assert tuple(clock.PERFORMERS) == ACTIONS


def test_it_stands_and_goes_on_as_before() -> None:
    async def scene(run: Run, hand: RunClock) -> None:
        await hand.act({"action": "speed", "speed": 10.0})
        paused = await hand.act({"action": "pause"})
        assert (paused["speed"], paused["resume"], run.kept) == (0.0, 10.0, (7, 0.0))
        run.cluster.apply(WEB)
        await asyncio.sleep(0.1)
        assert hand.state()["now"] == paused["now"]
        await hand.act({"action": "pause"})
        assert run.stops == 1, "who waits is told once"
        assert (await hand.act({"action": "resume"}))["speed"] == 10.0
        assert run.tellings == hand.turns == 4

    play(scene)


def test_a_run_that_slept_while_it_stood_stands_when_it_wakes() -> None:
    async def scene(run: Run, hand: RunClock) -> None:
        before = hand.state()
        await asyncio.sleep(0.05)
        assert hand.state() == {**before, "speed": 0.0, "resume": 1.0}

    play(scene, speed=0.0)


def test_steps_tell_the_story_of_a_deployment() -> None:
    async def scene(run: Run, hand: RunClock) -> None:
        await hand.act({"action": "pause"})
        run.cluster.settle()
        run.cluster.apply(WEB)
        told = [(await hand.act({"action": "step"}))["happened"] for _ in range(30)]
        assert [each for each in told if each and not each["because"]] == []
        story = [sentence(each) for each in told if each]
        whole = "\n".join(story)
        name = run.cluster.list("pods", "default")[0]["metadata"]["name"]
        assert "deployment-controller on the Deployment web: “Scaled up replica set web-" in story[0]
        assert "because kubernetes-admin created the Deployment web." in story[0]
        assert f"kube-scheduler on the Pod {name}: “Successfully assigned default/{name} to worker-" in whole
        assert f'kubelet on the Pod {name}: “Pulling image "nginx"”, because kube-scheduler changed' in whole
        placed = f"because kube-scheduler changed the Pod {name} (spec.nodeName: ∅ → worker-"
        assert any(f"kubelet changed the Pod {name} (" in each and placed in each for each in story)
        assert run.cluster.get("deployments", "web")["status"]["readyReplicas"] == 1  # type: ignore[index]
        assert run.notes == len(story) < 30

    play(scene)


def test_what_comes_next_is_among_what_may_come() -> None:
    """At each step of a story one choice comes, and it is another's own fault who chose otherwise."""

    async def scene(run: Run, hand: RunClock) -> None:
        await hand.act({"action": "pause"})
        run.cluster.settle()
        run.cluster.apply(WEB)
        came, places = [], set()
        for number in range(40):
            before = run.cluster.state_hash()
            offered = (await hand.act({"action": "predict"}))["choices"]
            assert offered == (await hand.act({"action": "predict"}))["choices"]
            assert run.cluster.state_hash() == before, "to ask moves nothing"
            ids = [each["id"] for each in offered]
            assert len(set(ids)) == len(ids) == len({expectation(each) for each in offered})
            assert 2 <= len(offered) <= 5
            assert NOTHING in ids
            answer = await hand.act({"action": "step", "guess": ids[number % len(ids)]})
            place = ids.index(answer["came"])
            places.add(place)
            came.append(expectation(offered[place]))
            if answer["happened"] is None:
                break
        assert came[0] == "deployment-controller creates a new ReplicaSet."
        assert "replicaset-controller creates a new Pod." in came
        assert any(each.startswith("kube-scheduler changes the Pod web-") for each in came)
        assert any("spec.nodeName" in each for each in came)
        assert came[-1] == "Nothing, unless somebody does something."
        assert len(places) > 2, "the place of the true one says nothing"

    play(scene)


def test_who_else_could_do_it_is_offered() -> None:
    async def scene(run: Run, hand: RunClock) -> None:
        await hand.act({"action": "pause"})
        run.cluster.settle()
        run.cluster.apply(WEB)
        offered = [expectation(each) for each in (await hand.act({"action": "predict"}))["choices"]]
        assert "replicaset-controller creates a new ReplicaSet." in offered
        assert "replicaset-controller creates a new Pod." in offered
        assert not any("web-" in each and "new Pod" in each for each in offered), (
            "no name that nobody can know"
        )

    play(scene)


def test_a_prediction_of_before_something_was_done_moves_nothing() -> None:
    async def scene(run: Run, hand: RunClock) -> None:
        await hand.act({"action": "pause"})
        run.cluster.settle()
        run.cluster.apply(WEB)
        [guess] = [
            each["id"]
            for each in (await hand.act({"action": "predict"}))["choices"]
            if each["verb"] == "create" and each["kind"] == "Pod"
        ]
        run.cluster.delete("deployments", "web")
        begun = run.cluster.clock.now
        with pytest.raises(HostError) as refused:
            await hand.act({"action": "step", "guess": guess})
        assert (refused.value.status, run.cluster.clock.now) == (409, begun)

    play(scene)


def test_predicted_in_the_terminal() -> None:
    async def scene(run: Run, hand: RunClock) -> None:
        await hand.act({"action": "pause"})
        run.cluster.settle()
        run.cluster.apply(WEB)
        said = (await hand.typed(["predict"])).splitlines()
        assert [line[:3] for line in said[:-1]] == [f"{number}. " for number in range(1, len(said))]
        right = next(line for line in said if "deployment-controller creates a new ReplicaSet." in line)[0]
        for wrong in ("0", "6", "x", "99999"):
            with pytest.raises(
                ValueError, match=f"step: a number from 1 to {len(said) - 1}, as time predict tells"
            ):
                await hand.typed(["step", wrong])
        assert (await hand.typed(["step", right])).startswith("You foresaw it.\ndeployment-controller on the")
        assert (await hand.typed(["step", "1"])).splitlines()[0] in ("You foresaw it.", "It came otherwise.")

    play(scene)


EXPECTED = [
    ("en", "create", "kubelet creates a new Pod."),
    ("en", "update", "kubelet changes the Pod web (status.phase, status.conditions[Ready])."),
    ("en", "delete", "kubelet deletes the Pod web."),
    ("en", "report", "kubelet on the Pod web: “Started”."),
    ("en", "", "Nothing, unless somebody does something."),
    ("zh-hans", "create", "kubelet 新建一个 Pod。"),
    ("zh-hans", "update", "kubelet 改动 Pod web（status.phase, status.conditions[Ready]）。"),
    ("zh-hans", "delete", "kubelet 删除 Pod web。"),
    ("zh-hans", "", "什么也不会发生，除非有人做点什么。"),
]


@pytest.mark.parametrize(("language", "verb", "wanted"), EXPECTED)
def test_what_may_come_is_a_sentence(language: str, verb: str, wanted: str) -> None:
    choice = {
        "component": "kubelet", "verb": verb, "kind": "Pod", "name": "web", "text": "Started",
        "fields": ["status.phase", "status.conditions[Ready]"] if verb == "update" else [],
    }  # fmt: skip
    with translation.override(language):
        assert expectation(choice) == wanted
        told = with_sentence(Reply(200, {"happened": None, "choices": [{"id": "a", **choice}]})).data
        assert told["choices"] == [{"id": "a", "text": wanted}]


def test_nothing_may_happen_for_an_hour() -> None:
    async def scene(run: Run, hand: RunClock) -> None:
        await hand.act({"action": "pause"})
        run.cluster.settle()
        await hand.act({"action": "step"})
        begun = run.cluster.clock.now
        answer = await hand.act({"action": "step"})
        assert answer["happened"] is None
        assert run.cluster.clock.now == begun, "time stays where it is"
        assert with_sentence(Reply(200, answer)).data["sentence"] == ""

    play(scene)


def test_a_leap_is_as_long_as_it_was_asked_and_a_replay_gets_there() -> None:
    async def scene(run: Run, hand: RunClock) -> None:
        await hand.act({"action": "pause"})
        run.cluster.apply(WEB)
        begun = run.cluster.clock.now
        await hand.act({"action": "advance", "seconds": 90})
        assert run.cluster.clock.now - begun == 90_000_000
        assert Cluster.replay(run.cluster.journal).state_hash() == run.cluster.state_hash()

    play(scene)


def test_a_write_waits_for_the_end_of_a_step() -> None:
    async def scene(run: Run, hand: RunClock) -> None:
        await hand.act({"action": "pause"})
        leap = asyncio.ensure_future(hand.act({"action": "advance", "seconds": 600}))
        await asyncio.sleep(0)
        await asyncio.gather(leap, *(run.app.note("file", {"path": "a", "content": None}) for _ in range(3)))
        times = [entry.at for entry in run.cluster.journal.entries]
        assert times == sorted(times)
        assert Cluster.replay(run.cluster.journal).state_hash() == run.cluster.state_hash()

    play(scene)


BAD: list[tuple[dict[str, Any], str]] = [
    ({}, "action: one of pause, resume, speed, step, advance, until, back, return, predict, found 'None'"),
    (
        {"action": "rewind"},
        "action: one of pause, resume, speed, step, advance, until, back, return, predict, found 'rewind'",
    ),
    ({"action": "speed"}, "speed: one of 0.1, 0.5, 1, 2, 10, 100, found 'None'"),
    ({"action": "speed", "speed": 0}, "speed: one of 0.1, 0.5, 1, 2, 10, 100, found '0'"),
    ({"action": "speed", "speed": True}, "speed: one of 0.1, 0.5, 1, 2, 10, 100, found 'True'"),
    ({"action": "advance"}, "seconds: more than 0 and at most 3600, found 'None'"),
    ({"action": "advance", "seconds": -1}, "seconds: more than 0 and at most 3600, found '-1'"),
    ({"action": "advance", "seconds": 3601}, "seconds: more than 0 and at most 3600, found '3601'"),
    ({"action": "advance", "seconds": float("nan")}, "seconds: more than 0 and at most 3600, found 'nan'"),
    ({"action": "advance", "seconds": "60"}, "seconds: more than 0 and at most 3600, found '60'"),
]


@pytest.mark.parametrize(("data", "message"), BAD, ids=[str(row[0]) for row in BAD])
def test_what_cannot_be_done_is_refused(data: dict[str, Any], message: str) -> None:
    async def scene(run: Run, hand: RunClock) -> None:
        before = hand.turns
        with pytest.raises(HostError) as refused:
            await hand.act(data)
        assert (refused.value.status, str(refused.value)) == (400, message)
        assert hand.turns == before

    play(scene)


TYPED: list[tuple[list[str], str | type[Exception], str]] = [
    (["pause"], "time stands still", ""),
    (["now"], "time goes at 1x", ""),
    (["speed", "10"], "time goes at 10x", ""),
    (["speed", "0.5x"], "time goes at 0.5x", ""),
    (["advance", "90s"], "2026-01-01T00:01:42Z, time goes at 1x", ""),
    (["speed"], ValueError, "speed takes a number: time speed 10"),
    (["speed", "fast"], ValueError, "speed takes a number: time speed 10"),
    (["speed", "3"], ValueError, "speed: one of 0.1, 0.5, 1, 2, 10, 100, found '3.0'"),
    (["advance", "1e9"], ValueError, "seconds: more than 0 and at most 3600, found '1000000000.0'"),
    (["pause", "now"], ValueError, "too many words after pause"),
]


@pytest.mark.parametrize(("words", "said", "why"), TYPED, ids=[" ".join(row[0]) for row in TYPED])
def test_typed_in_the_terminal(words: list[str], said: str | type[Exception], why: str) -> None:
    async def scene(run: Run, hand: RunClock) -> None:
        if isinstance(said, str):
            assert (await hand.typed(words)).endswith(said)
            return
        with pytest.raises(said) as refused:
            await hand.typed(words)
        assert str(refused.value) == why

    play(scene)


@pytest.mark.parametrize("speed", [-1, float("nan"), 1_001, float("inf")])
def test_a_speed_that_no_clock_has(speed: float) -> None:
    driver = Driver(Cluster(nodes=1))
    with pytest.raises(ValueError, match="speed must be between 0 and 1000, found"):
        driver.set_speed(speed)
    assert driver.speed == 1.0


MADE = {"component": "replicaset-controller", "verb": "create", "kind": "Pod", "name": "web-1", "text": ""}
ASKED = {"component": "kubernetes-admin", "verb": "PATCH", "kind": "", "text": "/api/v1/nodes/node-1"}
GONE = {"component": "garbage-collector", "verb": "delete", "kind": "Pod", "name": "web-1", "because": ASKED}
SAID = {
    "component": "kubelet",
    "verb": "create",
    "kind": "Pod",
    "name": "web-1",
    "text": "Started",
    "because": MADE,
}
SENTENCES = [
    ("en", MADE, "replicaset-controller created the Pod web-1."),
    (
        "en",
        GONE,
        "garbage-collector deleted the Pod web-1, because kubernetes-admin asked: PATCH /api/v1/nodes/node-1.",
    ),
    (
        "en",
        SAID,
        "kubelet on the Pod web-1: “Started”, because replicaset-controller created the Pod web-1.",
    ),
    ("zh-hans", MADE, "replicaset-controller 创建了 Pod web-1。"),
    (
        "zh-hans",
        GONE,
        "garbage-collector 删除了 Pod web-1，起因：kubernetes-admin 请求了 PATCH /api/v1/nodes/node-1。",
    ),
    ("zh-hans", SAID, "kubelet 对 Pod web-1 报告：“Started”，起因：replicaset-controller 创建了 Pod web-1。"),
]


@pytest.mark.parametrize(("language", "happening", "wanted"), SENTENCES)
def test_what_happened_is_a_sentence(language: str, happening: dict[str, Any], wanted: str) -> None:
    with translation.override(language):
        assert sentence(happening) == wanted


UNTIL: list[tuple[str, Callable[[Cluster], bool]]] = [
    ("deploy/web Available", lambda c: c.get("deployments", "web")["status"]["availableReplicas"] == 1),  # type: ignore[index]
    (
        "deployment/web -n default self.status.readyReplicas == 1 && self.spec.replicas == 1",
        lambda c: c.get("deployments", "web")["status"]["readyReplicas"] == 1,  # type: ignore[index]
    ),
    ("event Pulling", lambda c: any(each["reason"] == "Pulling" for each in c.list("events", "default"))),
    ("ns/default self.status.phase == 'Active'", lambda c: not c.list("pods", "default")),
]


@pytest.mark.parametrize(("text", "so"), UNTIL, ids=[row[0] for row in UNTIL])
def test_on_to_a_condition_and_no_further(text: str, so: Callable[[Cluster], bool]) -> None:
    async def scene(run: Run, hand: RunClock) -> None:
        await hand.act({"action": "pause"})
        run.cluster.settle()
        run.cluster.apply(WEB)
        begun = run.cluster.clock.now
        answer = await hand.act({"action": "until", "until": text})
        assert so(run.cluster)
        assert (run.cluster.clock.now > begun) == bool(answer["happened"])
        assert run.cluster.clock.now - begun < 60_000_000
        if not text.startswith("event"):
            assert "time stands still" in await hand.typed(["until", *text.split()])

    play(scene)


NEVER: list[tuple[str, int, str]] = [
    ("pod/nobody Ready", 409, "Nothing of the kind is to happen within an hour of the cluster's time."),
    ("", 400, "until: pod/NAME [-n NAMESPACE] CONDITION|CEL | event REASON, found ''"),
    ("pods", 400, "until: pod/NAME [-n NAMESPACE] CONDITION|CEL | event REASON, found 'pods'"),
    ("ship/x Ready", 400, "the server doesn't have a resource type 'ship'"),
    ("pod/x self.status.", 400, "until: a rule in CEL; "),
    ("pod/x 1 + 1", 400, "until: a rule in CEL that is true or false, found one that is int: 1 + 1"),
    ("pod/x " + "a" * 2_000, 400, "until: at most 2000 characters, found 2006"),
]


@pytest.mark.parametrize(("text", "status", "said"), NEVER, ids=[row[0][:30] or "nothing" for row in NEVER])
def test_a_condition_that_cannot_be_reached_moves_nothing(text: str, status: int, said: str) -> None:
    async def scene(run: Run, hand: RunClock) -> None:
        await hand.act({"action": "pause"})
        run.cluster.settle()
        begun = run.cluster.clock.now
        with pytest.raises(HostError) as refused:
            await hand.act({"action": "until", "until": text})
        assert refused.value.status == status
        assert str(refused.value).startswith(said)
        assert run.cluster.clock.now == begun

    play(scene)


@pytest.mark.parametrize("at", ["5m", "300s", "{date}T{clock}Z", "{clock}"])
def test_the_terminals_look_back_and_return(at: str) -> None:
    async def scene(run: Run, hand: RunClock) -> None:
        await hand.act({"action": "pause"})
        run.cluster.advance(400 - run.cluster.clock.now / SECOND % 100)  # a full second
        then = rfc3339(run.cluster.clock.now - 300 * SECOND)
        said = await hand.typed(["back", at.format(date=then[:10], clock=then[11:19])])
        assert (rfc3339(run.looked.at_us), hand.looking) == (then, run.looked)
        assert said.splitlines()[0] == f"The terminals look back at {then}; `time return` leads to now again."
        assert hand.state()["looking"] == then
        assert "look back" not in await hand.typed(["return"])
        assert hand.looking is None

    play(scene, speed=0.0)


@pytest.mark.parametrize("words", [["back"], ["back", "yesterday"], ["back", "25:00:00"]])
def test_no_such_time_to_look_back_at(words: list[str]) -> None:
    async def scene(run: Run, hand: RunClock) -> None:
        with pytest.raises(ValueError, match="at: a time as 2026-01-01T00:00:00Z, found"):
            await hand.typed(words)
        assert hand.looking is None

    play(scene)
