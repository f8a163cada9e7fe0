"""The queue: places, order, back-off, who is woken."""

from __future__ import annotations

import json

import pytest

from cluster_engine.kube_scheduler.queue import Queue, Waiting
from cluster_engine.sim import SECOND


def queue() -> Queue:
    return Queue(lambda priority, added: (-priority, added))


def arrive(q: Queue, key: str, priority: int = 0, now: int = 0) -> Waiting:
    pod = q.arrive(key, priority, now)
    q.wake(pod, now)
    return pod


def drain(q: Queue, now: int) -> list[str]:
    taken = []
    while (pod := q.take(now)) is not None:
        taken.append(pod.key)
    return taken


def test_priority_then_age_then_arrival() -> None:
    q = queue()
    for key, priority, now in (("b", 0, 5), ("a", 0, 5), ("old", 0, 1), ("vip", 10, 9)):
        arrive(q, key, priority, now)
    assert drain(q, 10) == ["vip", "old", "b", "a"]


BACKOFFS = [1, 2, 4, 8, 10, 10]


def test_backoff_doubles_to_ten_seconds() -> None:
    q = queue()
    pod = arrive(q, "p")
    now, waits = 0, []
    for _ in BACKOFFS:
        assert q.take(now) is pod
        q.fail(pod, now)
        waits.append((pod.ready_at() - now) // SECOND)
        assert q.take(pod.ready_at() - 1) is None
        now = pod.ready_at()
    assert waits == BACKOFFS
    assert q.next_error() is not None


def test_errors_and_refusals_are_counted_apart() -> None:
    q = queue()
    pod = arrive(q, "p")
    for _ in range(6):
        q.refuse(pod, ("A",), 0)
    q.fail(pod, 0)
    assert pod.ready_at() == 1 * SECOND
    q.refuse(pod, ("A",), 0)
    assert pod.ready_at() == 10 * SECOND


def test_the_earliest_error_is_due_first() -> None:
    q = queue()
    late, soon = arrive(q, "late"), arrive(q, "soon")
    for _ in range(5):
        q.fail(late, 0)
    q.fail(soon, 0)
    due = q.next_error()
    assert due is soon
    assert drain(q, due.ready_at()) == ["soon"]
    assert drain(q, late.ready_at()) == ["late"]


def test_a_refused_pod_is_taken_early_when_nothing_is_active() -> None:
    """SchedulerPopFromBackoffQ: by the end of their back-off, and only when no other Pod wants its first try."""
    q = queue()
    much, little = arrive(q, "much"), arrive(q, "little")
    for _ in range(4):
        q.refuse(much, ("A",), 0)
    q.refuse(little, ("A",), 0)
    for pod in (much, little):
        q.wake(pod, 0)
    assert drain(q, 0) == [], "not at the very moment of the refusal"
    arrive(q, "new", now=1)
    assert q.has_active(1)
    assert drain(q, 1) == ["new", "little", "much"]


def test_wake_by_plugin() -> None:
    q = queue()
    for key, plugins in (("a", ("X",)), ("b", ("Y",)), ("c", ("X", "Y"))):
        q.refuse(arrive(q, key), plugins, 0)
    q.gate(arrive(q, "g"), "X")
    assert [pod.key for pod in q.refused_by(("X",))] == ["a", "c", "g"]
    q.remove("a")
    q.wake(q.refused_by(("X",))[0], 0)
    assert [pod.key for pod in q.refused_by(("X", "Y"))] == ["b", "g"]
    places = {key: found.place for key in ("a", "b", "c", "g") if (found := q.get(key)) is not None}
    assert places == {"b": "unschedulable", "c": "backoff", "g": "gated"}


def test_five_minutes() -> None:
    q = queue()
    q.refuse(arrive(q, "p"), ("A",), 0)
    q.gate(arrive(q, "g"), "A")
    assert q.leftover(300 * SECOND) == []
    assert [pod.key for pod in q.leftover(300 * SECOND + 1)] == ["p", "g"]


def test_a_pod_that_was_removed_and_came_again_is_taken_once() -> None:
    q = queue()
    arrive(q, "p")
    q.remove("p")
    arrive(q, "p", now=1)
    assert drain(q, 2) == ["p"]


@pytest.mark.parametrize("moment", range(6))
def test_saved_and_loaded(moment: int) -> None:
    """The same Pods are taken in the same order, wherever it was saved."""

    def story(q: Queue, at: int) -> tuple[Queue, list[str]]:
        taken: list[str] = []

        def step(number: int) -> None:
            nonlocal q
            if number == at:
                q, saved = queue(), json.loads(json.dumps(q.state(), sort_keys=True))
                q.load(saved)
            now = number * SECOND
            arrive(q, f"n{number}", number % 3, now)
            for _ in range(2):
                pod = q.take(now)
                if pod is None:
                    continue
                taken.append(pod.key)
                if number % 2:
                    q.refuse(pod, ("A", "B"), now)
                else:
                    q.fail(pod, now)
            for pod in q.refused_by(("A",))[:1]:
                q.wake(pod, now)

        for number in range(12):
            step(number)
        return q, taken + drain(q, 60 * SECOND)

    _, straight = story(queue(), -1)
    _, restored = story(queue(), moment * 2)
    assert straight == restored


def test_a_fork_s_queue_goes_its_own_way() -> None:
    q, twin, loaded = queue(), queue(), queue()
    for number, key in enumerate(("new", "refused", "gated", "failed")):
        pod = arrive(q, key, number)
        if key != "new":
            q.take(0)
    q.refuse(q.get("refused"), ("A", "B"), 1)  # type: ignore[arg-type]
    q.gate(q.get("gated"), "G")  # type: ignore[arg-type]
    q.fail(q.get("failed"), 1)  # type: ignore[arg-type]
    before = json.dumps(q.state())
    twin.share(q)
    loaded.load(json.loads(before))
    assert json.dumps(twin.state()) == before
    assert [p.key for p in twin.refused_by(["G", "A"])] == [p.key for p in loaded.refused_by(["G", "A"])]
    assert drain(twin, 20 * SECOND) == drain(loaded, 20 * SECOND) != []
    for pod in twin.refused_by(["A"]):
        twin.wake(pod, 20 * SECOND)
    assert json.dumps(q.state()) == before, "what happens in the fork is nothing to the cluster"
